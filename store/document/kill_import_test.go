package document_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"point"
	"point/adapter/provider"
	"point/store"
	"point/store/document"
)

// importedProviders is how many providers each import has.
var importedProviders = large(200)

// TestKilledImport kills imports of many providers with their sealed secrets at any moment: each
// is there whole, document and secrets, or not at all, and what is live stays as it is.
func TestKilledImport(t *testing.T) {
	for engine, options := range engines(t) {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			v := &victim{opts: options(), work: writeImport(t)}
			s, err := store.Open(t.Context(), v.opts)
			ok(t, err)
			w := makeTwins(t, s, 4)
			ok(t, s.Close())
			made := int64(0)
			for range kills(10) {
				done, stage := v.kill(t)
				s, err := store.Open(t.Context(), v.opts)
				ok(t, err)
				if name := w.intact(t, s, v.opts); name != "b" {
					t.Fatal("an import made live", name)
				}
				list, err := s.ListConfigurations(t.Context(), store.Page{Number: 1, Limit: 1})
				ok(t, err)
				before := made + int64(done)
				made = list.Total - 2 // the twins
				if made != before && made != before+1 {
					t.Fatalf("%d imports are there, %d were answered", made, before)
				}
				wholeImports(t, s, v.opts, made)
				v.note(stage, made > before)
				ok(t, s.Close())
			}
			t.Logf("%d kills: %v; %d imports of %d providers, %s each", v.round, v.fell, made, importedProviders, v.took["begins"].Round(time.Millisecond))
		})
	}
}

// writeImport writes a file of many providers with their secrets.
func writeImport(t *testing.T) (file string) {
	t.Helper()
	in := document.Imported{Document: point.Document{Format: point.DocumentFormat}}
	secrets := document.Secrets{}
	for i := range importedProviders {
		name := fmt.Sprintf("imported-%03d", i)
		in.Providers = append(in.Providers, point.DocumentProvider{Name: name, Kind: "openai", Secrets: []string{point.SecretAPIKey}})
		secrets[name] = map[string]point.Secret{provider.BoundTo("openai", point.SecretAPIKey, &point.ProviderConfig{}): point.NewSecret("sk-of-" + name)}
	}
	var err error
	in.Sealed, err = document.Seal(secrets, passphrase)
	ok(t, err)
	raw, err := document.Write(&in, document.JSON)
	ok(t, err)
	file = filepath.Join(t.TempDir(), "import.json")
	ok(t, os.WriteFile(file, raw, 0o600))
	return file
}

// wholeImports proves that n imports are there with all their providers and secrets, and nothing
// of any other. Of all but the last the secrets are only counted.
func wholeImports(t *testing.T, s *store.Store, opts store.Options, n int64) {
	t.Helper()
	var providers, sealed int64
	ask(t, opts, `SELECT COUNT(*), COUNT(s.sealed) FROM providers p LEFT JOIN provider_secrets s ON s.provider_id = p.id
		WHERE p.name LIKE 'imported-%'`, &providers, &sealed)
	if want := n * int64(importedProviders); providers != want || sealed != want {
		t.Fatalf("%d providers and %d secrets of %d imports, want %d of each", providers, sealed, n, want)
	}
	if n == 0 {
		return
	}
	d := saved(t, s, fmt.Sprint("import ", n+1))
	var ids []string
	for _, p := range d.Providers {
		ids = append(ids, p.ID)
	}
	parked, err := s.ParkedProviders(t.Context(), ids)
	ok(t, err)
	if len(d.Providers) != importedProviders || len(parked) != importedProviders {
		t.Fatalf("the last import has %d providers, of which %d are kept", len(d.Providers), len(parked))
	}
	for _, p := range d.Providers {
		if got := parked[p.ID].Config.Secrets[point.SecretAPIKey].Reveal(); got != "sk-of-"+p.Name {
			t.Fatalf("the secret of %s is %q", p.Name, got)
		}
	}
}
