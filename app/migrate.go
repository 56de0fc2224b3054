package app

import (
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"point/internal/plural"
	"point/store"
)

type migrateCommand struct {
	Status migrateStatusCommand `cmd:"" default:"1" help:"List the steps of the schema and when each was applied."`
	Up     migrateUpCommand     `cmd:"" help:"Apply the steps that are pending. serve does so by itself."`
}

type migrateStatusCommand struct{}

func (migrateStatusCommand) Run(r *invocation) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	list, err := store.ReadMigrations(r.ctx, storeOptions(c))
	if err != nil {
		return err
	}
	pending := 0
	table := tabwriter.NewWriter(r.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DATABASE\tVERSION\tNAME\tAPPLIED")
	for _, m := range list {
		applied := "pending"
		if m.AppliedAt.IsZero() {
			pending++
		} else {
			applied = m.AppliedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\n", m.Database, m.Version, m.Name, applied)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if pending > 0 {
		fmt.Fprintf(r.Stdout, "%d pending; apply with: point migrate up\n", pending)
	}
	return nil
}

type migrateUpCommand struct{}

func (migrateUpCommand) Run(r *invocation) error {
	c, err := r.load()
	if err != nil {
		return err
	}
	before, err := store.ReadMigrations(r.ctx, storeOptions(c))
	if err != nil {
		return err
	}
	s, err := store.Open(r.ctx, storeOptions(c)) // which migrates
	if err != nil {
		return err
	}
	defer s.Close()
	said := "the schema is up to date; there was nothing to apply"
	pending := slices.DeleteFunc(before, func(m store.Migration) bool { return !m.AppliedAt.IsZero() })
	if len(pending) > 0 {
		said = "applied " + plural.Of(len(pending), "step", "steps") + "; the schema is up to date"
	}
	_, err = fmt.Fprintln(r.Stdout, said)
	return err
}
