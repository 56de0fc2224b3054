package config

import (
	"crypto/sha256"
	"slices"
	"testing"
)

// TestAgain: the file is read as it is by now, and what changed in its settings is named.
func TestAgain(t *testing.T) {
	text := "settings: {max_body: 1MiB, drain: 1m}"
	c, _, err := Load(Source{Env: []string{"POINT_CONFIG=p.yaml"}, ReadFile: func(string) ([]byte, error) { return []byte(text), nil }})
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := c.FileSum(); err != nil || sum != c.FileRead {
		t.Error("the file seems to have changed", err)
	}
	text = "settings: {max_body: 2MiB, log_level: warn}"
	if sum, _ := c.FileSum(); sum != sha256.Sum256([]byte(text)) {
		t.Error("the change is not seen")
	}
	next, _, err := c.Again()
	if err != nil {
		t.Fatal(err)
	}
	if got := c.ChangedSettings(next); !slices.Equal(got, []string{"drain", "log_level", "max_body"}) {
		t.Error(got)
	}
	text = "setting: {}"
	if _, _, err := c.Again(); err == nil {
		t.Error("mistakes are not told")
	}
}
