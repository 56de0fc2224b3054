package app

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"point"
	"point/api"
	"point/config"
	"point/internal/clientkey"
	"point/store"
)

type keyCommand struct {
	Create keyCreateCommand `cmd:"" help:"Make a client key and show it, once."`
	List   keyListCommand   `cmd:"" help:"List client keys."`
	Rotate keyRotateCommand `cmd:"" help:"Give a client key a new token and show it, once. The one it has works on for a while."`
	Revoke keyRevokeCommand `cmd:"" help:"Make a client key useless."`
}

type keyCreateCommand struct {
	Name     string   `arg:"" help:"What it is for."`
	Tag      []string `help:"Tag, for routing rules and reports. May be repeated."`
	Model    []string `help:"Glob of models it may use; all if absent. May be repeated."`
	Endpoint []string `help:"Path it may use; all if absent. May be repeated."`
	RPM      *int64   `help:"Requests a minute."`
	TPM      *int64   `help:"Tokens a minute."`
	Parallel *int64   `name:"concurrency" help:"Requests at once."`
	BudgetD  string   `name:"budget-day" help:"USD a day, in UTC."`
	BudgetM  string   `name:"budget-month" help:"USD a month, in UTC."`
	Free     bool     `name:"unlimited" help:"No limits, not even those that the settings give a key that names none."`
	Expires  string   `placeholder:"30d" help:"Life, such as 30d or 12h; for ever if absent."`
}

func (c keyCreateCommand) Run(r *invocation) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	s, err := r.open()
	if err != nil {
		return err
	}
	defer s.Close()
	if key.Limits == (point.KeyLimits{}) && !c.Free {
		key.Limits = s.Snapshot().Settings.DefaultKeyLimits
	}
	token := clientkey.New()
	if err := s.CreateKey(r.ctx, key, token); err != nil {
		return err
	}
	fmt.Fprintf(r.Stderr, "key %s (%s); it is shown this once:\n", key.Name, key.ID)
	_, err = fmt.Fprintln(r.Stdout, token.Reveal())
	return errors.Join(err, r.becomeKnown(s))
}

// key is the key that the flags describe.
func (c keyCreateCommand) key() (*point.Key, error) {
	key := &point.Key{
		Name:      c.Name,
		Status:    point.StatusActive,
		Tags:      c.Tag,
		Models:    c.Model,
		Endpoints: c.Endpoint,
		Limits:    point.KeyLimits{RPM: c.RPM, TPM: c.TPM, Concurrency: c.Parallel},
	}
	now := time.Now().UTC()
	var errs [5]error
	if c.Free && key.Limits != (point.KeyLimits{}) || c.Free && c.BudgetD+c.BudgetM != "" {
		errs[4] = errors.New("--unlimited goes with no limit: leave it or the limits out")
	}
	if c.Expires != "" {
		life, err := config.ParseDuration(c.Expires)
		at := now.Add(life)
		key.ExpiresAt = &at
		if err != nil {
			errs[3] = fmt.Errorf("--expires: %q is not a duration such as 30d or 12h", c.Expires)
		}
	}
	key.Limits.BudgetDay, errs[0] = budget(c.BudgetD)
	key.Limits.BudgetMonth, errs[1] = budget(c.BudgetM)
	key.Check(now, func(at, format string, args ...any) {
		errs[2] = errors.Join(errs[2], fmt.Errorf("the key's %s: %s", at, fmt.Sprintf(format, args...)))
	})
	return key, errors.Join(errs[:]...)
}

func budget(usd string) (*point.NanoUSD, error) {
	if usd == "" {
		return nil, nil
	}
	n, err := point.ParseUSD(usd)
	return &n, err
}

type keyListCommand struct {
	Hashes bool `help:"Show the hash by which the file may declare a key."`
}

func (c keyListCommand) Run(r *invocation) error {
	s, err := r.look()
	if err != nil {
		return err
	}
	defer s.Close()
	table := tabwriter.NewWriter(r.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "ID\tNAME\tPREFIX\tSTATUS\tEXPIRES\tLIMITS\tMANAGED BY")
	if c.Hashes {
		fmt.Fprint(table, "\tHASH")
	}
	fmt.Fprintln(table)
	err = eachKey(r, s, func(k *point.Key) error {
		expires, by := "never", "user"
		if k.ExpiresAt != nil {
			expires = k.ExpiresAt.UTC().Format(time.RFC3339)
		}
		if k.ManagedBy != point.ManagedByUser {
			by = k.ManagedBy
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s", k.ID, k.Name, k.Prefix, keyStatus(k), expires, limitsText(&k.Limits), by)
		if c.Hashes {
			fmt.Fprint(table, "\t", hex.EncodeToString(k.Hash[:]))
		}
		_, err := fmt.Fprintln(table)
		return err
	})
	return errors.Join(err, table.Flush())
}

// keyStatus is whether a key works, and why not.
func keyStatus(k *point.Key) string {
	if k.Status == point.StatusActive && k.ExpiresAt != nil && !time.Now().Before(*k.ExpiresAt) {
		return "expired"
	}
	return k.Status
}

// limitsText is a key's limits in the words of the file.
func limitsText(l *point.KeyLimits) string {
	var parts []string
	for _, count := range []struct {
		name  string
		value *int64
	}{{"rpm", l.RPM}, {"tpm", l.TPM}, {"concurrency", l.Concurrency}} {
		if count.value != nil {
			parts = append(parts, fmt.Sprintf("%s=%d", count.name, *count.value))
		}
	}
	for _, sum := range []struct {
		name  string
		value *point.NanoUSD
	}{{"budget_day", l.BudgetDay}, {"budget_month", l.BudgetMonth}} {
		if sum.value != nil {
			parts = append(parts, fmt.Sprintf("%s=%s", sum.name, sum.value))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ",")
}

type keyRotateCommand struct {
	Key     string `arg:"" help:"Id or name."`
	Overlap string `default:"24h" placeholder:"24h" help:"How long the token it has now works on, such as 24h or 7d, at most 30d; 0 ends it at once."`
}

func (c keyRotateCommand) Run(r *invocation) error {
	overlap, err := c.overlap()
	if err != nil {
		return err
	}
	s, err := r.look()
	if err != nil {
		return err
	}
	defer s.Close()
	k, err := changeableKey(r, s, c.Key)
	if err != nil {
		return err
	}
	token := clientkey.New()
	if err := s.RotateKey(r.ctx, store.All(), k, token, overlap); err != nil {
		return err
	}
	ends := "the old token is useless now"
	if k.PreviousExpiresAt != nil {
		ends = "the old token works until " + k.PreviousExpiresAt.UTC().Format(time.RFC3339)
	}
	fmt.Fprintf(r.Stderr, "key %s (%s): %s; the new one is shown this once:\n", k.Name, k.ID, ends)
	_, err = fmt.Fprintln(r.Stdout, token.Reveal())
	return errors.Join(err, r.becomeKnown(s))
}

// becomeKnown waits until every Point that runs knows a new token: who has it may use it at once.
func (r *invocation) becomeKnown(s *store.Store) error {
	instances, err := s.Instances(r.ctx)
	if err != nil || !slices.ContainsFunc(instances, func(i point.Instance) bool { return time.Since(i.SeenAt) < silent }) {
		return err
	}
	known := time.NewTimer(s.KnownWithin())
	defer known.Stop()
	select {
	case <-known.C:
	case <-r.ctx.Done():
	}
	return nil
}

// overlap is how long the old token works on.
func (c keyRotateCommand) overlap() (time.Duration, error) {
	if c.Overlap == "0" {
		return 0, nil
	}
	overlap, err := config.ParseDuration(c.Overlap)
	if err != nil || overlap < 0 || overlap > api.MaxOverlap {
		return 0, fmt.Errorf("--overlap: %q is not a duration from 0 to 30d, such as 24h", c.Overlap)
	}
	return overlap, nil
}

type keyRevokeCommand struct {
	Key string `arg:"" help:"Id or name."`
}

func (c keyRevokeCommand) Run(r *invocation) error {
	s, err := r.look()
	if err != nil {
		return err
	}
	defer s.Close()
	k, err := changeableKey(r, s, c.Key)
	if err != nil {
		return err
	}
	k.Status = point.StatusInactive
	if err := s.UpdateKey(r.ctx, store.All(), k); err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.Stdout, "%s (%s) is revoked\n", k.Name, k.ID)
	return err
}

// changeableKey is the one key of an id or a name, if people may change it.
func changeableKey(r *invocation, s *store.Store, named string) (*point.Key, error) {
	var found []point.Key
	err := eachKey(r, s, func(k *point.Key) error {
		if k.ID == named || k.Name == named {
			found = append(found, *k)
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fmt.Errorf("there is no key %q; point key list shows all", named)
	case len(found) > 1:
		return nil, fmt.Errorf("%d keys are named %q; give the id that point key list shows", len(found), named)
	}
	return &found[0], api.Locked(found[0].ManagedBy, "key")
}

// eachKey visits all keys, page by page.
func eachKey(r *invocation, s *store.Store, visit func(*point.Key) error) error {
	for page := 1; ; page++ {
		list, err := s.ListKeys(r.ctx, store.All(), store.KeyFilter{Page: store.Page{Number: page, Limit: 500}})
		if err != nil {
			return err
		}
		for i := range list.Items {
			if err := visit(&list.Items[i]); err != nil {
				return err
			}
		}
		if !list.More {
			return nil
		}
	}
}
