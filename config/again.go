package config

import (
	"crypto/sha256"
	"maps"
	"slices"

	"point"
)

// Again reads everything anew, with the file as it is by now.
func (c *Config) Again() (*Config, []Problem, error) { return Load(c.source) }

// FileSum is the SHA-256 of the file as it is by now; of c as it was read, it is FileRead.
func (c *Config) FileSum() ([sha256.Size]byte, error) {
	content, err := c.source.ReadFile(c.File)
	return sha256.Sum256(content), err
}

// ChangedSettings names the settings that the file of next gives otherwise than that of c.
func (c *Config) ChangedSettings(next *Config) (names []string) {
	all := maps.Clone(c.fileSettings)
	maps.Copy(all, next.fileSettings)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, had := c.fileSettings[name]
		is, has := next.fileSettings[name]
		if had != has || was != is {
			names = append(names, name)
		}
	}
	return names
}

// keepSettings notes what the file says of settings.
func (l *loader) keepSettings() {
	l.config.fileSettings = map[string]point.Secret{} // some are
	for name, given := range l.file.settings {
		l.config.fileSettings[name] = point.NewSecret(given.value)
	}
}
