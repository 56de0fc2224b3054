package provider

import (
	"cmp"

	"point"
)

// Placer is a service that is not at one address: where it is depends on its provider's
// settings, such as a resource's name or a region.
type Placer interface {
	// Place is the URL that the paths of requests are below, made of base_url if there is one.
	// It is empty if the settings do not tell. Options have not been checked.
	Place(c *point.ProviderConfig) string
}

// Located is a Placer that says which setting its place comes from, where no base_url is given.
type Located interface {
	Placer
	// PlacedBy is that setting's name.
	PlacedBy() string
}

// Located is the name of the setting to check where nothing, or something else, is found at a
// provider's place.
func (k *Kind) Located(c *point.ProviderConfig) string {
	if s, ok := k.Service.(Located); ok && c.BaseURL == "" {
		return s.PlacedBy()
	}
	return "base_url"
}

// Checker is a service some of whose settings are good or bad by their form, or only together.
type Checker interface {
	// Check tells what is wrong with settings that are each of the right type. Where no Place comes
	// of them, it tells why.
	Check(c *point.ProviderConfig, fault point.Fault)
}

// Place is the URL that the paths of a provider's requests are below, empty if there is none.
func (k *Kind) Place(c *point.ProviderConfig) string {
	if s, ok := k.Service.(Placer); ok {
		return s.Place(c)
	}
	return cmp.Or(c.BaseURL, k.BaseURL)
}

// needsBase reports whether config must name a base URL.
func (k *Kind) needsBase() bool {
	_, ok := k.Service.(Placer)
	return k.BaseURL == "" && !ok
}

// Namer is a service of which a provider's settings may tell which models it has; it is not asked
// for them then.
type Namer interface {
	Models(c *point.ProviderConfig) []string
}

// Named are the models that a provider's settings name, beside its explicit list. It is empty if
// they name none.
func (k *Kind) Named(c *point.ProviderConfig) []string {
	if s, ok := k.Service.(Namer); ok {
		return s.Models(c)
	}
	return nil
}
