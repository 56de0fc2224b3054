package app

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/mail"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"point"
	"point/api"
	"point/internal/panics"
	"point/store"
)

type userCommand struct {
	Add    userAddCommand    `cmd:"" help:"Add a user. The password is read from standard input."`
	List   userListCommand   `cmd:"" help:"List users."`
	Role   userRoleCommand   `cmd:"" help:"Give a user another role, and end the user's sessions."`
	Passwd userPasswdCommand `cmd:"" help:"Give a user a new password, read from standard input, and end the user's sessions. A lock after wrong passwords ends by itself within 15 minutes."`
	Remove userRemoveCommand `cmd:"" help:"Remove a user. The user's client keys go on working, without an owner."`
}

type userAddCommand struct {
	Email string `arg:"" help:"E-mail address, which is the name to sign in with."`
	Role  string `help:"owner, admin, operator, viewer or a role of your own; if absent, owner for the first user and viewer for others."`
}

func (c userAddCommand) Run(r *invocation) error {
	if a, err := mail.ParseAddress(c.Email); err != nil || a.Address != c.Email {
		return fmt.Errorf("%q is not an e-mail address", c.Email)
	}
	s, err := r.open()
	if err != nil {
		return err
	}
	defer s.Close()
	users := s.Snapshot().Users
	if c.Role == "" {
		c.Role = point.RoleViewer
		if len(users) == 0 {
			c.Role = point.RoleOwner
		}
	}
	if err := giveable(s, c.Role); err != nil {
		return err
	}
	taken := fmt.Errorf("there is a user %s already; point user passwd gives a new password, point user role another role", strings.ToLower(c.Email))
	if findUser(s, c.Email) != nil {
		return taken
	}
	hash, err := r.newPassword()
	if err != nil {
		return err
	}
	u := &point.User{Email: strings.ToLower(c.Email), PasswordHash: hash, Role: c.Role}
	var conflict *store.Conflict
	switch err := s.CreateUser(r.ctx, u); {
	case errors.As(err, &conflict):
		return taken
	case err != nil:
		return err
	}
	_, err = fmt.Fprintf(r.Stdout, "%s may sign in as %s\n", u.Email, u.Role)
	return err
}

type userListCommand struct{}

func (userListCommand) Run(r *invocation) error {
	s, err := r.look()
	if err != nil {
		return err
	}
	defer s.Close()
	table := tabwriter.NewWriter(r.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "EMAIL\tROLE\tSTATUS\tSINCE")
	byEmail := func(a, b *point.User) int { return cmp.Compare(a.Email, b.Email) }
	for _, u := range slices.SortedFunc(maps.Values(s.Snapshot().Users), byEmail) {
		status := "active"
		if u.Disabled {
			status = "disabled"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", u.Email, u.Role, status, u.CreatedAt.UTC().Format(time.RFC3339))
	}
	return table.Flush()
}

type userRoleCommand struct {
	Email string `arg:"" help:"E-mail address of the user."`
	Role  string `arg:"" help:"owner, admin, operator, viewer or a role of your own."`
}

func (c userRoleCommand) Run(r *invocation) error {
	return r.changeUser(c.Email, func(s *store.Store, u *point.User) (string, error) {
		if err := giveable(s, c.Role); err != nil {
			return "", err
		}
		if c.Role != point.RoleOwner && lastOwner(s, u) {
			return "", fmt.Errorf("%s is the last owner; make another user owner first", u.Email)
		}
		u.Role = c.Role
		return fmt.Sprintf("%s is %s now; open sessions have ended", u.Email, u.Role), s.UpdateUser(r.ctx, u)
	})
}

type userPasswdCommand struct {
	Email string `arg:"" help:"E-mail address of the user."`
}

func (c userPasswdCommand) Run(r *invocation) error {
	return r.changeUser(c.Email, func(s *store.Store, u *point.User) (_ string, err error) {
		if u.PasswordHash, err = r.newPassword(); err != nil {
			return "", err
		}
		return u.Email + " has a new password; open sessions have ended", s.UpdateUser(r.ctx, u)
	})
}

type userRemoveCommand struct {
	Email string `arg:"" help:"E-mail address of the user."`
}

func (c userRemoveCommand) Run(r *invocation) error {
	return r.changeUser(c.Email, func(s *store.Store, u *point.User) (string, error) {
		if lastOwner(s, u) {
			return "", fmt.Errorf("%s is the last owner; make another user owner first", u.Email)
		}
		said := u.Email + " is removed"
		for _, k := range s.Snapshot().Keys {
			if k.OwnerID == u.ID && k.Status == point.StatusActive {
				said += fmt.Sprintf("\nthe key %s (%s) goes on working; to end it: point key revoke %s", k.Name, k.Prefix, k.ID)
			}
		}
		return said, s.DeleteUser(r.ctx, u.ID, u.Version)
	})
}

// changeUser lets change act on a user, and tells what it says was done.
func (r *invocation) changeUser(email string, change func(*store.Store, *point.User) (string, error)) error {
	s, err := r.look()
	if err != nil {
		return err
	}
	defer s.Close()
	u := findUser(s, email)
	if u == nil {
		return fmt.Errorf("there is no user %s; point user list shows all", email)
	}
	said, err := change(s, u)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(r.Stdout, said)
	return err
}

// findUser is a copy of the user of an address in any case, nil if there is none.
func findUser(s *store.Store, email string) *point.User {
	for _, u := range s.Snapshot().Users {
		if u.Email == strings.ToLower(email) {
			found := *u
			return &found
		}
	}
	return nil
}

// giveable refuses a role that does not exist.
func giveable(s *store.Store, role string) error {
	if api.RoleExists(s.Snapshot(), role) {
		return nil
	}
	own := slices.Sorted(maps.Keys(s.Snapshot().Roles))
	return fmt.Errorf("there is no role %q; there are: %s", role, strings.Join(append([]string{point.RoleOwner, point.RoleAdmin, point.RoleOperator, point.RoleViewer}, own...), ", "))
}

// lastOwner reports whether without u nobody would be left who may do everything.
func lastOwner(s *store.Store, u *point.User) bool {
	for _, other := range s.Snapshot().Users {
		if other.ID != u.ID && other.Role == point.RoleOwner && !other.Disabled {
			return false
		}
	}
	return u.Role == point.RoleOwner && !u.Disabled
}

// newPassword asks for a password and hashes it. On a terminal it is asked for twice and not
// shown; otherwise it is the first line of standard input.
func (r *invocation) newPassword() (string, error) {
	password, err := r.readPassword()
	switch {
	case err != nil:
		return "", fmt.Errorf("read the password: %w", err)
	case len([]rune(password.Reveal())) < point.MinPassword:
		return "", fmt.Errorf("the password has fewer than %d characters", point.MinPassword)
	}
	return api.HashPassword(password)
}

func (r *invocation) readPassword() (point.Secret, error) {
	if file, ok := r.Stdin.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return r.askPassword(int(file.Fd()))
	}
	line, err := bufio.NewReader(r.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return point.Secret{}, err
	}
	return point.NewSecret(strings.TrimRight(line, "\r\n")), nil
}

func (r *invocation) askPassword(terminal int) (point.Secret, error) {
	ask := func(prompt string) (string, error) {
		fmt.Fprint(r.Stderr, prompt)
		b, err := readHidden(r.ctx, terminal)
		fmt.Fprintln(r.Stderr)
		return string(b), err
	}
	first, err := ask("Password: ")
	if err != nil {
		return point.Secret{}, err
	}
	again, err := ask("Again: ")
	if err != nil {
		return point.Secret{}, err
	}
	if first != again {
		return point.Secret{}, errors.New("the two differ")
	}
	return point.NewSecret(first), nil
}

// readHidden reads a line from a terminal that does not show it. When ctx ends, the terminal
// shows again what is typed.
func readHidden(ctx context.Context, terminal int) ([]byte, error) {
	before, err := term.GetState(terminal)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	type line struct {
		text []byte
		err  error
	}
	read := make(chan line, 1)
	go func() { // it cannot be called back from the terminal, and ends with the process
		defer panics.Catch(nil, "the password prompt", nil)
		text, err := term.ReadPassword(terminal)
		read <- line{text, err}
	}()
	select {
	case l := <-read:
		return l.text, l.err
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), term.Restore(terminal, before))
	}
}
