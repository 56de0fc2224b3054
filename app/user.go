package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"os"
	"strings"

	"golang.org/x/term"

	"point"
	"point/api"
)

type userCommand struct {
	Add    userAddCommand    `cmd:"" help:"Add a user. The password is read from standard input."`
	Passwd userPasswdCommand `cmd:"" help:"Give a user a new password, read from standard input, and end the user's sessions."`
}

type userAddCommand struct {
	Email string `arg:"" help:"E-mail address, which is the name to sign in with."`
	Role  string `enum:"owner,admin,operator,viewer" default:"owner" help:"owner, admin, operator or viewer."`
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
	hash, err := r.newPassword()
	if err != nil {
		return err
	}
	u := &point.User{Email: strings.ToLower(c.Email), PasswordHash: hash, Role: c.Role}
	if err := s.CreateUser(r.ctx, u); err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.Stdout, "%s may sign in as %s\n", u.Email, u.Role)
	return err
}

type userPasswdCommand struct {
	Email string `arg:"" help:"E-mail address of the user."`
}

func (c userPasswdCommand) Run(r *invocation) error {
	s, err := r.open()
	if err != nil {
		return err
	}
	defer s.Close()
	u, err := s.UserByEmail(r.ctx, strings.ToLower(c.Email))
	if err != nil {
		return err
	}
	if u.PasswordHash, err = r.newPassword(); err != nil {
		return err
	}
	if err := s.UpdateUser(r.ctx, u); err != nil {
		return err
	}
	_, err = fmt.Fprintf(r.Stdout, "%s has a new password; open sessions have ended\n", u.Email)
	return err
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
		b, err := term.ReadPassword(terminal)
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
