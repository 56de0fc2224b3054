package app

import (
	"encoding/hex"
	"errors"
	"fmt"
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
	return err
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
	s, err := r.open()
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

type keyRevokeCommand struct {
	Key string `arg:"" help:"Id or name."`
}

func (c keyRevokeCommand) Run(r *invocation) error {
	s, err := r.open()
	if err != nil {
		return err
	}
	defer s.Close()
	var found []point.Key
	err = eachKey(r, s, func(k *point.Key) error {
		if k.ID == c.Key || k.Name == c.Key {
			found = append(found, *k)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return fmt.Errorf("there is no key %q; point key list shows all", c.Key)
	case len(found) > 1:
		return fmt.Errorf("%d keys are named %q; give the id that point key list shows", len(found), c.Key)
	}
	if err := api.Locked(found[0].ManagedBy, "key"); err != nil {
		return err
	}
	found[0].Status = point.StatusInactive
	if err := s.UpdateKey(r.ctx, store.All(), &found[0]); err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.Stdout, "%s (%s) is revoked\n", found[0].Name, found[0].ID)
	return err
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
