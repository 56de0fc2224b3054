package provider

import (
	"testing"

	"point/internal/netguard"
)

func TestPlaceOf(t *testing.T) {
	for host, want := range map[string]netguard.Class{
		"api.openai.com": netguard.Public, "face.cafe": netguard.Public, "1.1.1.1": netguard.Public, "dead.beef": netguard.Public,
		"": netguard.Refused, "127.1": netguard.Refused, "0x7f.1": netguard.Refused, "localhost": netguard.Private, "printer": netguard.Private,
	} {
		if got := placeOf(host); got != want {
			t.Errorf("%q: %d, want %d", host, got, want)
		}
	}
}

// TestSettingsAreNamed: a mistake in any setting can be told in words.
func TestSettingsAreNamed(t *testing.T) {
	for _, k := range Kinds() {
		for _, f := range k.Settings() {
			if typeNames[f.Type] == "" {
				t.Errorf("%s: %s has the unknown type %q", k.Name, f.Name, f.Type)
			}
		}
	}
}
