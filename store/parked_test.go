package store_test

import (
	"encoding/json"
	"testing"
	"time"

	"point"
	"point/store"
)

// TestForgottenSecrets: upkeep forgets the secrets of providers that are not live and those that
// a live one put aside, once nothing speaks of the provider any more, and no others.
func TestForgottenSecrets(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			ctx, ahead := t.Context(), time.Duration(0)
			opts := options()
			opts.Now = func() time.Time { return time.Now().Add(ahead) }
			s := open(t, opts)
			ok := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			ids := map[string]string{}
			for _, name := range []string{"live", "saved", "revised", "gone"} {
				p := &point.Provider{Name: name, Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive, Config: point.ProviderConfig{
					Secrets: map[string]point.Secret{point.SecretAPIKey: point.NewSecret("sk-" + name)},
					Parked:  map[string]point.Secret{"api_key@place": point.NewSecret("sk-aside-" + name)},
				}}
				ok(s.CreateProvider(ctx, p))
				ids[name] = p.ID
			}
			ok(s.CreateConfiguration(ctx, &point.Configuration{Name: "c", Document: json.RawMessage(`{"providers":[{"id":"` + ids["saved"] + `"}]}`)}))
			drop := &store.Batch{DropProviders: []string{ids["saved"], ids["revised"], ids["gone"]}}
			ok(s.Apply(ctx, drop))
			for _, name := range []string{"live", "saved", "gone"} {
				_, err := rawDB(t, opts).Exec(`DELETE FROM revision_changes WHERE row_id = $1`, ids[name])
				ok(err)
			}
			kept := func() (names []string) {
				t.Helper()
				parked, err := s.ParkedProviders(ctx, drop.DropProviders)
				ok(err)
				for _, name := range []string{"saved", "revised", "gone"} {
					if c := parked[ids[name]].Config; len(c.Secrets)+len(c.Parked) > 0 {
						names = append(names, name)
					}
				}
				return names
			}
			ok(s.Upkeep(ctx))
			if names := kept(); len(names) != 3 || len(s.Snapshot().Providers[ids["live"]].Config.Parked) != 1 {
				t.Fatalf("within the hour, kept: %v", names)
			}
			ahead = 2 * time.Hour
			ok(s.Upkeep(ctx))
			if names := kept(); len(names) != 2 || names[0] != "saved" || names[1] != "revised" {
				t.Fatalf("kept: %v", names)
			}
			if c := s.Snapshot().Providers[ids["live"]].Config; len(c.Parked) != 0 || c.Secrets[point.SecretAPIKey].Reveal() != "sk-live" {
				t.Fatalf("the live provider keeps %v and %v", c.Secrets, c.Parked)
			}
		})
	}
}
