package monitor

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"point"
	"point/internal/plural"
)

// Mail is the mail server that Point sends through. The zero Mail sends nothing.
type Mail struct {
	Host     string
	Port     int
	TLS      bool // from the first byte; otherwise STARTTLS is asked for
	Plain    bool // without any encryption: for a server on the same machine
	User     string
	Password point.Secret
	From     string
}

var errNoMail = errors.New("no mail server is set: set POINT_SMTP_URL and restart Point")

// send mails one message to all addresses of a notifier.
func (m Mail) send(ctx context.Context, to *point.Notifier, message point.Notification, source string) (result, error) {
	if m.Host == "" {
		return result{}, errNoMail
	}
	letter := mail.NewMsg()
	if err := letter.FromFormat("Point", m.From); err != nil {
		return result{}, fmt.Errorf("the sender in POINT_SMTP_URL is no address: %w", err)
	}
	if err := letter.To(to.Config.To...); err != nil {
		return result{}, fmt.Errorf("the addresses of this notifier: %w", err)
	}
	letter.Subject(strings.Join(strings.Fields(title(message)), " "))
	letter.SetDate()
	letter.SetMessageID()
	letter.SetBodyString(mail.TypeTextPlain, letterText(message, source))
	line := &mailLine{tls: m.TLS, host: m.Host}
	defer line.close()
	client, err := m.client(line)
	if err != nil {
		return result{}, fmt.Errorf("the mail server's settings: %w", err)
	}
	if err := client.DialAndSendWithContext(ctx, letter); err != nil {
		return result{}, fmt.Errorf("the mail was not sent: %w", err)
	}
	return result{text: "The mail server took the message for " + plural.Of(len(to.Config.To), "address.", "addresses.")}, nil
}

// mailLine is the connection of one mail. It is closed here, since the library leaves it open
// when the greeting fails.
type mailLine struct {
	tls  bool
	host string
	conn net.Conn
}

func (l *mailLine) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if l.tls {
		secure := tls.Dialer{NetDialer: dialer, Config: &tls.Config{ServerName: l.host, MinVersion: tls.VersionTLS12}}
		conn, err = secure.DialContext(ctx, network, address)
	} else {
		conn, err = dialer.DialContext(ctx, network, address)
	}
	if err == nil {
		l.conn = conn
	}
	return conn, err
}

func (l *mailLine) close() {
	if l.conn != nil {
		_ = l.conn.Close() // closed already, or no use any more
	}
}

func (m Mail) client(line *mailLine) (*mail.Client, error) {
	options := []mail.Option{mail.WithPort(m.Port), mail.WithTimeout(notifyTimeout), mail.WithTLSPolicy(mail.TLSMandatory), mail.WithDialContextFunc(line.dial)}
	switch {
	case m.TLS:
		options = append(options, mail.WithSSL())
	case m.Plain:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	}
	if m.User != "" {
		auth := mail.SMTPAuthAutoDiscover
		if m.Plain {
			auth = mail.SMTPAuthPlainNoEnc
		}
		options = append(options, mail.WithSMTPAuth(auth), mail.WithUsername(m.User), mail.WithPassword(m.Password.Reveal()))
	}
	return mail.NewClient(m.Host, options...)
}

// letterText is the body of a mail.
func letterText(m point.Notification, source string) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-9s %s\n", name+":", value)
		}
	}
	b.WriteString(m.Alert.Message + "\n\n")
	line("Kind", m.Alert.Kind)
	line("Subject", m.Alert.Subject)
	line("Severity", m.Alert.Severity)
	line("First", m.Alert.FirstAt.UTC().Format(time.RFC3339))
	line("Last", m.Alert.LastAt.UTC().Format(time.RFC3339))
	if m.Alert.ResolvedAt != nil {
		line("Resolved", m.Alert.ResolvedAt.UTC().Format(time.RFC3339))
	}
	if source != "" {
		line("See", source+"/alerts")
	}
	return b.String()
}
