package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"point"
	"point/api"
	"point/config"
	"point/internal/plural"
	"point/monitor"
	"point/store"
	"point/store/document"
)

type configCommand struct {
	Validate configValidateCommand `cmd:"" help:"Read flags, variables and file as serve would, and report every problem."`
	Export   configExportCommand   `cmd:"" help:"Write what is live, but for what the file and the environment declare."`
	Import   configImportCommand   `cmd:"" help:"Save a configuration that was exported. Nothing becomes live."`
	List     configListCommand     `cmd:"" help:"List saved configurations."`
	Activate configActivateCommand `cmd:"" help:"Make a saved configuration live, whole or not at all."`
}

type configValidateCommand struct{}

func (configValidateCommand) Run(r *invocation) error {
	c, err := r.loadChecked(func(c *config.Config) config.Problems { return append(checkDeclared(c), checkCertificate(c)...) })
	if err != nil {
		return err
	}
	r.warnKeyless(c)
	where := "flags, variables and defaults"
	if c.File != "" {
		where = c.File
	}
	d := &c.Declared
	_, err = fmt.Fprintf(r.Stdout, "ok: %s (%s declared)\n", where, contents(len(d.Providers), len(d.Endpoints), len(d.Aliases), len(d.Keys), len(d.Rules)))
	return err
}

// contents counts what a configuration holds.
func contents(providers, endpoints, aliases, keys, rules int) string {
	return strings.Join([]string{
		plural.Of(providers, "provider", "providers"), plural.Of(endpoints, "endpoint", "endpoints"), plural.Of(aliases, "alias", "aliases"),
		plural.Of(keys, "key", "keys"), plural.Of(rules, "alert rule", "alert rules"),
	}, ", ")
}

type configExportCommand struct {
	Format         string `enum:"yaml,json" default:"yaml" help:"yaml or json."`
	Secrets        bool   `help:"With the secrets of providers, encrypted under a passphrase."`
	PassphraseFile string `placeholder:"FILE" help:"Holds the passphrase, 12 characters or more."`
}

func (c configExportCommand) Run(r *invocation) error {
	passphrase, err := passphraseOf(c.PassphraseFile)
	switch {
	case err != nil:
		return err
	case c.Secrets && passphrase.IsZero():
		return errors.New("--secrets needs --passphrase-file: secrets leave Point encrypted alone")
	case !c.Secrets && !passphrase.IsZero():
		return errors.New("--passphrase-file encrypts secrets: give --secrets too")
	}
	s, err := r.look()
	if err != nil {
		return err
	}
	defer s.Close()
	d, err := document.Export(r.ctx, s, passphrase)
	if err != nil {
		return err
	}
	text, err := document.Write(d, c.Format)
	if err != nil {
		return err
	}
	event := point.AuditExport
	if c.Secrets {
		event = point.AuditExportSecrets
	}
	if err := s.Audit(r.ctx, point.AuditEntry{Event: event, TargetKind: point.EntityConfiguration}); err != nil {
		return err
	}
	if c.Secrets {
		if err := monitor.RaiseNow(r.ctx, s, api.AlertExport, point.ActorOf(r.ctx).Name, "The configuration was exported with its secrets, encrypted by a passphrase. If nobody meant to, rotate the providers' keys."); err != nil {
			return err
		}
	}
	_, err = r.Stdout.Write(text)
	return err
}

// passphraseOf reads a passphrase without its last newline, none if no file is named.
func passphraseOf(file string) (point.Secret, error) {
	if file == "" {
		return point.Secret{}, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return point.Secret{}, fmt.Errorf("read the passphrase: %w", err)
	}
	text := strings.TrimRight(string(content), "\r\n")
	if len(text) < document.MinPassphrase {
		return point.Secret{}, fmt.Errorf("%s: a passphrase has at least %d characters", file, document.MinPassphrase)
	}
	return point.NewSecret(text), nil
}

type configImportCommand struct {
	File           string `arg:"" help:"YAML or JSON, as config export writes it."`
	Name           string `help:"What to save it as; the name of the file if absent."`
	Default        bool   `help:"Activate it at the start of an installation on which nothing is configured."`
	PassphraseFile string `placeholder:"FILE" help:"Holds the passphrase that the secrets in it are encrypted under."`
	WithoutSecrets bool   `help:"Import without a passphrase what holds encrypted secrets, and leave them out."`
	DryRun         bool   `help:"Check it alone, and save nothing."`
}

func (c configImportCommand) Run(r *invocation) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	passphrase, err := passphraseOf(c.PassphraseFile)
	if err != nil {
		return err
	}
	in, err := document.ReadText(text)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	switch {
	case in.Sealed != nil && passphrase.IsZero() && !c.WithoutSecrets:
		return fmt.Errorf("%s holds encrypted secrets: give --passphrase-file to import them too, or --without-secrets to leave them out", c.File)
	case c.DryRun && passphrase.IsZero(): // no installation is needed
		if in.Sealed != nil {
			showFindings(r.Stderr, []document.Finding{document.SecretsLeftOut})
		}
		return c.tellChecked(r, in)
	}
	s, err := r.open()
	if err != nil {
		return err
	}
	defer s.Close()
	saved := &point.Configuration{Name: c.name(), IsDefault: c.Default}
	findings, err := document.Import(r.ctx, s, in, saved, document.Importing{Passphrase: passphrase, WithoutSecrets: c.WithoutSecrets, DryRun: c.DryRun})
	if err != nil {
		return takenName(err, saved.Name)
	}
	showFindings(r.Stderr, findings)
	if c.DryRun {
		return c.tellChecked(r, in)
	}
	_, err = fmt.Fprintf(r.Stdout, "saved as %q; point config activate %q makes it live\n", saved.Name, saved.Name)
	return err
}

func (c configImportCommand) tellChecked(r *invocation, in *document.Imported) error {
	d := in.Document
	_, err := fmt.Fprintf(r.Stdout, "ok: %s (%s); nothing was saved\n", c.File, contents(len(d.Providers), len(d.Endpoints), len(d.Aliases), len(d.Keys), len(d.AlertRules)))
	return err
}

// name is what to save the file as.
func (c configImportCommand) name() string {
	if c.Name != "" {
		return c.Name
	}
	base := filepath.Base(c.File)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// takenName says what to do about a name that another configuration has.
func takenName(err error, name string) error {
	if conflict := (*store.Conflict)(nil); errors.As(err, &conflict) {
		return fmt.Errorf("there is a configuration %q already: give another --name", name)
	}
	return err
}

type configListCommand struct{}

func (configListCommand) Run(r *invocation) error {
	s, err := r.look()
	if err != nil {
		return err
	}
	defer s.Close()
	table := tabwriter.NewWriter(r.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tDEFAULT\tSAVED BY\tCHANGED\tDESCRIPTION")
	for page := 1; ; page++ {
		list, err := s.ListConfigurations(r.ctx, store.Page{Number: page, Limit: 500})
		if err != nil {
			return err
		}
		for _, c := range list.Items {
			first := ""
			if c.IsDefault {
				first = "yes"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", c.Name, first, c.CreatedBy, c.UpdatedAt.UTC().Format(time.RFC3339), c.Description)
		}
		if !list.More {
			return table.Flush()
		}
	}
}

type configActivateCommand struct {
	Name   string `arg:"" help:"Name of a saved configuration."`
	DryRun bool   `help:"Tell what would change, and change nothing."`
	Reason string `help:"Why, for the revision and the audit trail; at most 500 bytes." placeholder:"TEXT"`
}

func (c configActivateCommand) Run(r *invocation) error {
	if len(c.Reason) > point.MaxReason {
		return fmt.Errorf("--reason has %d bytes; %d are kept: say it shorter", len(c.Reason), point.MaxReason)
	}
	cfg, err := r.load()
	if err != nil {
		return err
	}
	s, err := r.openStore(cfg)
	if err != nil {
		return err
	}
	defer s.Close()
	saved, err := s.ConfigurationByName(r.ctx, c.Name)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no configuration %q; point config list shows all", c.Name)
	}
	if err != nil {
		return err
	}
	actor := commandActor()
	actor.Reason = strings.TrimSpace(c.Reason)
	plan, err := c.plan(point.WithActor(r.ctx, actor), s, saved, cfg)
	if err != nil {
		return err
	}
	showFindings(r.Stderr, plan.Findings)
	showChanges(r.Stdout, plan.Changes)
	said := "%q is live: %s\n"
	if c.DryRun {
		said = "%q would make %s; nothing was changed\n"
	}
	_, err = fmt.Fprintf(r.Stdout, said, saved.Name, plural.Of(len(plan.Changes), "change", "changes"))
	return err
}

// plan activates, or finds out what that would change.
func (c configActivateCommand) plan(ctx context.Context, s *store.Store, saved *point.Configuration, cfg *config.Config) (*document.Plan, error) {
	if !c.DryRun {
		return activateSaved(ctx, s, saved, cfg)
	}
	d, err := documentOf(saved)
	if err != nil {
		return nil, err
	}
	return document.Make(ctx, s, d, operatorRules(cfg))
}

func showFindings(out io.Writer, list []document.Finding) {
	for _, f := range list {
		about := ""
		if f.Name != "" {
			about = f.Name + ": "
		}
		fmt.Fprintln(out, "point: note:", about+f.Message)
	}
}

// showChanges tells what changes, a line for each place.
func showChanges(out io.Writer, list []document.Difference) {
	for _, d := range list {
		line := strings.Join(strings.Fields(d.Action+" "+d.Entity+" "+d.Name+" "+d.Path), " ")
		if d.Action == point.ChangeUpdate {
			line += fmt.Sprintf(": %s -> %s", orNone(d.Before), orNone(d.After))
		}
		fmt.Fprintln(out, line)
	}
}

func orNone(raw []byte) string {
	if len(raw) == 0 {
		return "none"
	}
	return string(raw)
}
