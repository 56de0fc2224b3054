// Package storetest is the one contract of the store: a suite that runs over every engine.
package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"point"
	"point/store"
)

// Run runs the suite. open gives each call an empty, migrated store of its own, which it
// closes when the test ends.
func Run(t *testing.T, open func(t *testing.T) *store.Store) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *store.Store)
	}{
		{"providers", providers},
		{"provider secrets", providerSecrets},
		{"stale versions", staleVersions},
		{"endpoints", endpoints},
		{"aliases", aliases},
		{"keys", keys},
		{"rotated keys", rotatedKeys},
		{"filters of keys", keyFilters},
		{"scopes", scopes},
		{"personal access tokens", userTokens},
		{"uses of tokens", tokenUses},
		{"roles", roles},
		{"roles that are given and deleted at once", racingRoles},
		{"users with an invitation", invitedUsers},
		{"a user with many tokens", fullUser},
		{"invitations", invitations},
		{"revisions", revisions},
		{"images", images},
		{"configurations", configurations},
		{"batches", batches},
		{"batches of many keys", manyKeys},
		{"parked providers", parkedProviders},
		{"settings", settings},
		{"users", users},
		{"changed users", changedUsers},
		{"first user", firstUser},
		{"identities", identities},
		{"sign-ins come back once", usedSignIns},
		{"sessions", sessions},
		{"signing keys", signingKeys},
		{"idempotency", idempotency},
		{"one reservation", oneReservation},
		{"set-up", setUp},
		{"instances", instances},
		{"odd ids", oddIDs},
		{"upper-case ids", upperCaseIDs},
		{"records", records},
		{"replay", replay},
		{"poison records", poison},
		{"excessive records", excess},
		{"bodies", bodies},
		{"large bodies", largeBodies},
		{"responses", responses},
		{"request filters", requestFilters},
		{"request pages", requestPages},
		{"statistics", statistics},
		{"statistics in time zones", statisticsInZones},
		{"statistics where midnight is skipped", statisticsWithoutMidnight},
		{"statistics are bounded", statisticsBounds},
		{"groups of statistics are bounded", statisticsGroups},
		{"logs", logs},
		{"alerts", alerts},
		{"audit", audit},
		{"concurrent audit", concurrentAudit},
		{"repeated audit", repeatedAudit},
		{"audit in parts", auditInParts},
		{"long details of audit", longDetails},
		{"alert rules", alertRules},
		{"notifiers", notifiers},
		{"silences", silences},
		{"prices", prices},
		{"models", models},
		{"catalogue", catalogue},
		{"notifications", notifications},
		{"silenced alerts", silencedAlerts},
		{"worse alerts", worseAlerts},
		{"worse in silence", worseInSilence},
		{"leases", leases},
		{"statistics of a window", statisticsOfAWindow},
		{"costs of keys", keyCosts},
		{"prune", prune},
		{"concurrent writers", concurrentWriters},
		{"concurrent records", concurrentRecords},
		{"snapshots are whole", wholeSnapshots},
		{"upkeep", upkeep},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

// must returns a value, or ends the test.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Fatalf("error %v, want %v", got, want)
	}
}

func wantConflict(t *testing.T, got error, field string) {
	t.Helper()
	var conflict *store.Conflict
	if !errors.As(got, &conflict) || conflict.Field != field {
		t.Fatalf("error %v, want a conflict on %s", got, field)
	}
}

func wantInvalid(t *testing.T, what string, got error, field string) {
	t.Helper()
	var invalid *store.Invalid
	if !errors.As(got, &invalid) || invalid.Field != field || invalid.Reason == "" {
		t.Errorf("%s: error %v, want one about %s", what, got, field)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	options := cmp.Options{cmpopts.EquateEmpty(), cmp.Comparer(func(a, b point.Secret) bool { return a.Reveal() == b.Reveal() })}
	if diff := cmp.Diff(want, got, options); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// provider makes a stored provider.
func provider(t *testing.T, s *store.Store, name string) *point.Provider {
	t.Helper()
	p := &point.Provider{
		Name: name, Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive,
		Config: point.ProviderConfig{BaseURL: "https://api.example.com/v1", Models: []string{"m1", "m2"}, Weight: 3,
			Secrets: map[string]point.Secret{point.SecretAPIKey: point.NewSecret("sk-" + name + "-0123456789")}},
	}
	ok(t, s.CreateProvider(context.Background(), p))
	return p
}

func user(t *testing.T, s *store.Store, email string) *point.User {
	t.Helper()
	u := &point.User{Email: email, PasswordHash: "$argon2id$x", Role: point.RoleOwner}
	ok(t, s.CreateUser(context.Background(), u))
	return u
}

func token(name string) point.Secret {
	return point.NewSecret("pt-" + name + strings.Repeat("x", 40))
}

// now is the time in the precision that the engines keep.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
