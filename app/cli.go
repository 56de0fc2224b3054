package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"point"
	"point/config"
	"point/internal/prices"
	"point/store"
)

// version is set by the linker; `go run` and tests have none.
var version = "dev"

// Process is what a command gets from the operating system.
type Process struct {
	Args   []string // without the program's name
	Env    []string // NAME=value
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
}

// Exit codes of Main.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2 // the command line or the configuration is wrong
)

// commands is the command line. A field is a command, its Run method what it does.
type commands struct {
	Serve   serveCommand   `cmd:"" default:"1" help:"Start Point. This is what happens without a command."`
	Mock    mockCommand    `cmd:"" help:"Start the simulated AI services alone."`
	Migrate migrateCommand `cmd:"" help:"Show or change the database schema."`
	User    userCommand    `cmd:"" help:"Manage people who may sign in."`
	Key     keyCommand     `cmd:"" help:"Manage client keys of /v1."`
	Secrets secretsCommand `cmd:"" help:"Look after the keys that encrypt stored secrets."`
	Config  configCommand  `cmd:"" help:"Work with the configuration."`
	Prices  pricesCommand  `cmd:"" help:"What models cost, and what they are."`
	Backup  backupCommand  `cmd:"" help:"Write a backup of the databases to a file. Point may run meanwhile."`
	Doctor  doctorCommand  `cmd:"" help:"Check the set-up and say how to mend each finding."`
	Version versionCommand `cmd:"" help:"Show the version."`
	Help    struct{}       `cmd:"" help:"Show help, also of one command: point help key."`

	ShowVersion kong.VersionFlag `name:"version" help:"Show the version."`
}

// invocation is one run of the command line, as commands see it.
type invocation struct {
	Process
	ctx   context.Context
	flags config.Flags
}

// Main runs one command line and returns the exit code. It ends when the command does, or
// soon after ctx is cancelled.
func Main(ctx context.Context, p Process) int {
	run := &invocation{Process: p, ctx: ctx, flags: config.NewFlags()}
	command, code, done := run.parse()
	if done {
		return code
	}
	err := command.Run(run)
	if err == nil || ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return exitOK // done, or asked to end before it was
	}
	if !errors.Is(err, errReported) {
		fmt.Fprintln(p.Stderr, "point:", err)
	}
	if problems := config.Problems(nil); errors.As(err, &problems) {
		return exitUsage
	}
	return exitError
}

// errReported is a failure that the command has told about in its own way.
var errReported = errors.New("reported")

// parse reads the command line; done means that there is nothing to run.
func (r *invocation) parse() (command *kong.Context, code int, done bool) {
	type exit struct{ code int }
	defer func() {
		switch e := recover().(type) {
		case nil:
		case exit: // --help has been shown
			code, done = e.code, true
		default:
			panic(e)
		}
	}()
	parser := kong.Must(&commands{},
		kong.Name("point"),
		kong.Description("One URL for every AI service. Every setting is also an environment variable "+
			"(--max-body is POINT_MAX_BODY) and a line in the file's section settings (max_body); "+
			"docs/operations.md explains each."),
		kong.Embed(r.flags.Target()),
		kong.Writers(r.Stdout, r.Stderr),
		kong.Exit(func(code int) { panic(exit{code}) }),
		kong.Vars{"version": "point " + Version()},
		kong.Help(showHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 110}),
	)
	command, err := parser.Parse(helpFlag(r.Args))
	if err != nil {
		fmt.Fprintf(r.Stderr, "point: %v (point help lists what there is)\n", err)
		return nil, exitUsage, true
	}
	return command, 0, false
}

// showHelp leaves the settings out of the help of commands but serve: they hide the command's
// own flags.
func showHelp(options kong.HelpOptions, c *kong.Context) error {
	command := c.Selected()
	if command == nil || command.Name == "serve" {
		return kong.DefaultHelpPrinter(options, c)
	}
	for _, f := range c.Model.Flags {
		f.Hidden = f.Hidden || f.Group != nil
	}
	if err := kong.DefaultHelpPrinter(options, c); err != nil {
		return err
	}
	_, err := fmt.Fprintln(c.Stdout, "\nSettings, such as --data-dir and --config, are flags too: point help serve lists them.")
	return err
}

// helpFlag turns "help key" into "key --help".
func helpFlag(args []string) []string {
	if len(args) > 0 && args[0] == "help" {
		return append(args[1:len(args):len(args)], "--help")
	}
	return args
}

// load reads the configuration and shows its warnings.
func (r *invocation) load() (*config.Config, error) { return r.loadChecked(checkDeclared) }

// commandVariables are read by commands, and are no settings.
var commandVariables = []string{newMasterEnv}

func (r *invocation) loadChecked(check func(*config.Config) config.Problems) (*config.Config, error) {
	c, warnings, err := config.Load(config.Source{Flags: r.flags, Env: withoutVariables(r.Env, commandVariables), ReadFile: os.ReadFile, Check: check})
	for _, w := range warnings {
		fmt.Fprintln(r.Stderr, "point: warning:", w)
	}
	return c, err
}

// withoutVariables is env without the variables of some names.
func withoutVariables(env, names []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.Contains(names, name)
	})
}

// commandActor makes the changes of commands: the command line, in the hands of whom the
// operating system knows.
func commandActor() point.Actor {
	name := fmt.Sprintf("uid %d", os.Getuid())
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	return point.Actor{Kind: point.ActorSystem, Name: fmt.Sprintf("command line (%.200s)", name)}
}

// open loads the configuration and opens its store, whose changes the command line makes from
// now on. The caller closes it.
func (r *invocation) open() (*store.Store, error) {
	c, err := r.load()
	if err != nil {
		return nil, err
	}
	return r.openStore(c)
}

// look opens the store for a command that only reads, which makes no installation.
func (r *invocation) look() (*store.Store, error) {
	c, err := r.load()
	if err != nil {
		return nil, err
	}
	if c.DatabaseURL.IsZero() {
		if _, err := os.Stat(filepath.Join(c.DataDir, "config.db")); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no installation in %s: set POINT_DATA_DIR to the folder of one, or make one with point serve", c.DataDir)
		}
	}
	return r.openStore(c)
}

// openStore opens the store of a configuration that was loaded, as open does.
func (r *invocation) openStore(c *config.Config) (*store.Store, error) {
	r.ctx = point.WithActor(r.ctx, commandActor())
	table, err := prices.New()
	if err != nil {
		return nil, err
	}
	options := storeOptions(c)
	options.Prices, options.Models = table, table
	return store.Open(r.ctx, options)
}

// storeOptions is where the state is, as the configuration says.
func storeOptions(c *config.Config) store.Options {
	return store.Options{DatabaseURL: c.DatabaseURL.Reveal(), DataDir: c.DataDir, MasterKey: c.MasterKey, Durable: c.Durability == config.DurabilityFsync}
}

type serveCommand struct{}

func (serveCommand) Run(r *invocation) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	r.warnKeyless(c)
	return Serve(r.ctx, c, r.Stdout, r.Stderr)
}

type versionCommand struct{}

func (versionCommand) Run(r *invocation) error {
	_, err := fmt.Fprintln(r.Stdout, "point", Version())
	return err
}

// checkCertificate reads the files that serve would. Other commands do without: who runs them
// may not be allowed to read the key.
func checkCertificate(c *config.Config) config.Problems {
	if c.TLS.Cert == "" || c.TLS.Key == "" {
		return nil
	}
	if _, err := tlsConfig(c); err != nil {
		return config.Problems{{Where: "POINT_TLS_CERT and POINT_TLS_KEY", What: strings.TrimPrefix(err.Error(), "POINT_TLS_CERT and POINT_TLS_KEY: ") + "; the first names the certificate, the second its private key, both PEM."}}
	}
	return nil
}

// warnKeyless names the variables that declared providers take their keys from and that are
// not set.
func (r *invocation) warnKeyless(c *config.Config) {
	declared, _ := declaredProviders(c)
	for _, p := range declared {
		if name := p.Config.APIKeyEnv; name != "" && c.Getenv(name) == "" {
			fmt.Fprintf(r.Stderr, "point: warning: provider %q takes its key from %s, which is not set.\n", p.Name, name)
		}
	}
}
