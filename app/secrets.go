package app

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"point"
	"point/internal/plural"
	"point/internal/seal"
	"point/store"
)

type secretsCommand struct {
	Rotate secretsRotateCommand `cmd:"" help:"Encrypt every stored secret anew with a fresh key, or give the installation another master key. Point may run meanwhile; cut off, it goes on when called again."`
	Status secretsStatusCommand `cmd:"" help:"List the encryption keys, their age, and how many values each sealed."`
}

// newMasterEnv holds the next master key, in place of a file.
const newMasterEnv = "POINT_NEW_MASTER_KEY"

type secretsRotateCommand struct {
	MasterKeyFile string `help:"Change the master key to what this file holds (or POINT_NEW_MASTER_KEY), and nothing else. Make one with: openssl rand -base64 32" placeholder:"FILE"`
}

func (c secretsRotateCommand) Run(r *invocation) error {
	master, err := c.master(r)
	if err != nil {
		return err
	}
	s, err := r.look()
	if err != nil {
		return err
	}
	defer s.Close()
	if !master.IsZero() {
		return r.changeMaster(s, master)
	}
	var sealed int64
	err = s.RotateKeys(r.ctx, func(values int64) {
		sealed = values
		fmt.Fprintf(r.Stderr, "%s encrypted anew\n", plural.Of(values, "value", "values"))
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.Stdout, "a new key encrypts everything (%s); the old ones are gone\n", plural.Of(sealed, "value", "values"))
	return err
}

// master is the next master key, zero if none was given.
func (c secretsRotateCommand) master(r *invocation) (point.Secret, error) {
	text := ""
	for _, entry := range r.Env {
		if value, ok := strings.CutPrefix(entry, newMasterEnv+"="); ok {
			text = value
		}
	}
	if c.MasterKeyFile != "" {
		content, err := os.ReadFile(c.MasterKeyFile)
		if err != nil {
			return point.Secret{}, fmt.Errorf("read the new master key: %w", err)
		}
		if text = strings.TrimSpace(string(content)); text == "" {
			return point.Secret{}, fmt.Errorf("%s is empty: %w", c.MasterKeyFile, seal.ErrWeakKey)
		}
	}
	return point.NewSecret(text), nil
}

// changeMaster wraps the keys with another master key and says what is left to do.
func (r *invocation) changeMaster(s *store.Store, master point.Secret) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	if err := s.ChangeMasterKey(r.ctx, master); err != nil {
		return err
	}
	said := "the master key is changed, " + c.DataDir + "/master.key holds it now; keep a copy in a safe place"
	if !c.MasterKey.IsZero() {
		said = "the master key is changed: set POINT_MASTER_KEY to the new one and start every Point again; those that run go on until then"
	}
	_, err = fmt.Fprintln(r.Stdout, said)
	return err
}

type secretsStatusCommand struct{}

func (secretsStatusCommand) Run(r *invocation) error {
	s, err := r.look()
	if err != nil {
		return err
	}
	defer s.Close()
	keys, lost, err := s.SealKeys(r.ctx)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(r.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KEY\tSEALS\tSINCE\tVALUES")
	for _, k := range keys {
		seals := "no"
		if k.Seals {
			seals = "yes"
		}
		fmt.Fprintf(table, "%08x\t%s\t%s\t%d\n", k.ID, seals, k.AddedAt.UTC().Format(time.RFC3339), k.Values)
	}
	if lost > 0 {
		fmt.Fprintf(table, "(gone)\tno\t\t%d\n", lost)
	}
	return table.Flush()
}

// sealKeyAge is how old the key that seals may be before the doctor suggests a rotation.
const sealKeyAge = 365 * 24 * time.Hour

// secrets looks at the keys that encrypt what is stored.
func (e *examination) secrets(s *store.Store) {
	keys, lost, err := s.SealKeys(e.ctx)
	if err == nil && len(keys) == 0 {
		err = errors.New("no key is registered")
	}
	if err != nil {
		e.problem("secrets", "%s", oneLine(err))
		return
	}
	age, old := time.Since(keys[0].AddedAt).Round(time.Hour), int64(0)
	for _, k := range keys[1:] {
		old += k.Values
	}
	switch {
	case lost > 0:
		e.problem("secrets", "%s sealed by a key that is gone: restore the database from a backup, or set the secrets again", plural.Of(lost, "value is", "values are"))
	case len(keys) > 1:
		e.note("secrets", "%s sealed by an old key; a rotation was cut off or is under way: point secrets rotate", plural.Of(old, "value is", "values are"))
	case age > sealKeyAge:
		e.note("secrets", "the key that encrypts them is %d days old: point secrets rotate", int(age.Hours())/24)
	default:
		e.ok("secrets", "%s sealed by one key, %s old", plural.Of(keys[0].Values, "value", "values"), plural.Of(int(age.Hours())/24, "day", "days"))
	}
}

// audit looks whether the audit trail is whole.
func (e *examination) audit(s *store.Store) {
	report, err := s.VerifyAudit(e.ctx)
	switch {
	case err != nil:
		e.problem("audit trail", "%s", oneLine(err))
	case len(report.Findings) > 0:
		for _, f := range report.Findings {
			e.problem("audit trail", "%s", f.What)
		}
		e.note("audit trail", "somebody wrote to the database or to audit-checkpoints.jsonl behind Point's back: keep both as they are, and compare them with a backup and with the log")
	default:
		e.ok("audit trail", "%s in one chain, %s, %d published", plural.Of(report.Rows, "row", "rows"), plural.Of(report.Checkpoints, "checkpoint", "checkpoints"), report.Published)
	}
}
