package api

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
)

// Notifier is where alerts are sent to.
type Notifier struct {
	ID          string         `json:"id" format:"uuid"`
	Name        string         `json:"name" example:"on-call"`
	Type        string         `json:"type" enum:"webhook,slack,email"`
	Config      NotifierConfig `json:"config"`
	Host        string         `json:"host" doc:"Of the URL; empty: it has none." example:"hooks.example.com"`
	Enabled     bool           `json:"enabled"`
	MinSeverity string         `json:"min_severity" enum:"info,warning,critical"`
	Kinds       []string       `json:"kinds" doc:"Globs of alert kinds; empty: all."`
	Waiting     int64          `json:"waiting" doc:"Messages that are still to be sent."`
	LastSentAt  *time.Time     `json:"last_sent_at" doc:"Within the last week."`
	LastError   string         `json:"last_error" doc:"Why the last message that failed within a week did; empty: none did."`
	Version     int64          `json:"version" doc:"Counts its changes; the ETag." example:"1"`
	CreatedAt   time.Time      `json:"created_at"`
	UpdatedAt   time.Time      `json:"updated_at"`
}

// NotifierConfig is what a type of notifier needs. Secrets are written and never read: answers
// hold a mask.
type NotifierConfig struct {
	URL    *string `json:"url,omitempty" maxLength:"2000" format:"password" doc:"webhook, slack: where to, https://. It may hold a credential, so it is a secret." example:"https://hooks.example.com/point"`
	Secret *string `json:"secret,omitempty" maxLength:"256" format:"password" doc:"webhook: signs each message, 32 characters or more." example:"3f0c1d9e8b7a65544332211000ffeedd"`
	To     Names   `json:"to,omitempty" maxItems:"50" doc:"email: addresses."`
}

type notifierOutput struct {
	Tagged
	Body Notifier
}

// CreateNotifier is the body that creates a notifier.
type CreateNotifier struct {
	Name        string         `json:"name" minLength:"1" maxLength:"255" example:"on-call"`
	Type        string         `json:"type" enum:"webhook,slack,email" example:"webhook"`
	Config      NotifierConfig `json:"config"`
	Enabled     *bool          `json:"enabled,omitempty" default:"true"`
	MinSeverity string         `json:"min_severity,omitempty" enum:"info,warning,critical" default:"warning"`
	Kinds       Names          `json:"kinds,omitempty" maxItems:"500" doc:"Globs of alert kinds, such as rule:*; empty: all."`
}

type createNotifierInput struct {
	Repeatable
	Body CreateNotifier

	notifier point.Notifier
}

// Resolve finds what a schema cannot see, so that it is listed beside the rest.
func (in *createNotifierInput) Resolve(ctx huma.Context) []error {
	var f faults
	a, _ := apiOf(ctx)
	b := &in.Body
	in.notifier = point.Notifier{Name: b.Name, Type: b.Type, Enabled: true, MinSeverity: cmp.Or(b.MinSeverity, point.SeverityWarning), Kinds: b.Kinds}
	setIf(&in.notifier.Enabled, b.Enabled)
	b.Config.apply(&in.notifier.Config)
	a.checkNotifier(&in.notifier, &f)
	return f.errors()
}

// checkNotifier finds what is wrong with n: nothing would ever come of mail without a server.
func (a *API) checkNotifier(n *point.Notifier, f *faults) {
	n.Check(f.at("body."))
	if n.Type == point.NotifierEmail && n.Enabled && a.Notify != nil && !a.Notify.Mails() {
		f.add("body.enabled", "No mail server is set, so no mail would be sent. Set POINT_SMTP_URL and start Point again, or give false here until then.")
	}
}

// apply replaces a config, but for its secrets: an absent or masked one stays.
func (c *NotifierConfig) apply(to *point.NotifierConfig) {
	old := to.Secrets
	to.To, to.Secrets = c.To, map[string]point.Secret{}
	for name, given := range map[string]*string{point.NotifierURL: c.URL, point.NotifierSecret: c.Secret} {
		known, had := old[name]
		switch {
		case given != nil && (!had || *given != known.Masked()):
			if *given != "" {
				to.Secrets[name] = point.NewSecret(*given)
			}
		case had:
			to.Secrets[name] = known
		}
	}
}

// UpdateNotifier is the body that changes a notifier; absent members stay as they are.
type UpdateNotifier struct {
	Name        string          `json:"name,omitempty" minLength:"1" maxLength:"255" example:"on-call"`
	Config      *NotifierConfig `json:"config,omitempty" doc:"Replaces the config, but for its secrets: absent or masked keeps one, an empty text removes it."`
	Enabled     *bool           `json:"enabled,omitempty"`
	MinSeverity string          `json:"min_severity,omitempty" enum:"info,warning,critical"`
	Kinds       *Names          `json:"kinds,omitempty" maxItems:"500" doc:"Globs of alert kinds, such as rule:*; empty: all."`
}

type updateNotifierInput struct {
	ByID
	Precondition
	Body UpdateNotifier

	notifier *point.Notifier // as it is to be, or why it cannot be changed
	err      error
}

// Resolve applies the body, so that its mistakes are listed beside those of its shape.
func (in *updateNotifierInput) Resolve(ctx huma.Context) []error {
	a, _ := apiOf(ctx)
	if in.notifier, in.err = a.notifier(ctx.Context(), in.ID, in.IfMatch); in.err != nil {
		return nil
	}
	n, b := in.notifier, &in.Body
	setText(&n.Name, b.Name)
	setText(&n.MinSeverity, b.MinSeverity)
	setIf(&n.Enabled, b.Enabled)
	setIf((*Names)(&n.Kinds), b.Kinds)
	if b.Config != nil {
		b.Config.apply(&n.Config)
	}
	var f faults
	a.checkNotifier(n, &f)
	return f.errors()
}

type notifierTestOutput struct{ Body point.NotifierResult }

func (a *API) listNotifiers(ctx context.Context, _ *none) (*listOutput[Notifier], error) {
	list, err := a.Store.ListNotifiers(ctx)
	if err != nil {
		return nil, err
	}
	states, err := a.Store.NotifierStates(ctx)
	if err != nil {
		return nil, err
	}
	return whole(list, func(n *point.Notifier) Notifier { return shapeNotifier(n, states[n.ID]) }), nil
}

func (a *API) getNotifier(ctx context.Context, in *ByID) (*notifierOutput, error) {
	n, err := a.notifier(ctx, in.ID, "")
	if err != nil {
		return nil, err
	}
	return a.answerNotifier(ctx, n)
}

func (a *API) createNotifier(ctx context.Context, in *createNotifierInput) (*notifierOutput, error) {
	if err := a.Store.CreateNotifier(ctx, &in.notifier); err != nil {
		return nil, fromStore(err, "notifier")
	}
	return a.answerNotifier(ctx, &in.notifier)
}

func (a *API) updateNotifier(ctx context.Context, in *updateNotifierInput) (*notifierOutput, error) {
	if in.err != nil {
		return nil, in.err
	}
	if err := a.Store.UpdateNotifier(ctx, in.notifier); err != nil {
		return nil, fromStore(err, "notifier")
	}
	return a.answerNotifier(ctx, in.notifier)
}

func (a *API) deleteNotifier(ctx context.Context, in *deleteInput) (*empty, error) {
	n, err := a.notifier(ctx, in.ID, in.IfMatch)
	if err == nil {
		err = fromStore(a.Store.DeleteNotifier(ctx, n.ID, n.Version), "notifier")
	}
	return nil, err
}

// testNotifier really sends a message.
func (a *API) testNotifier(ctx context.Context, in *ByID) (*notifierTestOutput, error) {
	n, err := a.notifier(ctx, in.ID, "")
	if err != nil {
		return nil, err
	}
	if a.Notify == nil {
		return nil, notHere("notifiers")
	}
	result := a.Notify.Test(ctx, n)
	a.auditTest(ctx, point.AuditNotifierTest, point.EntityNotifier, n.ID, n.Name, result.OK)
	return &notifierTestOutput{Body: result}, nil
}

// notifier reads a notifier, and refuses if it is not the one that ifMatch names.
func (a *API) notifier(ctx context.Context, id, ifMatch string) (*point.Notifier, error) {
	n, err := a.Store.GetNotifier(ctx, id)
	if err != nil {
		return nil, fromStore(err, "notifier")
	}
	return n, matches(ifMatch, n.Version, "notifier")
}

func (a *API) answerNotifier(ctx context.Context, n *point.Notifier) (*notifierOutput, error) {
	states, err := a.Store.NotifierStates(ctx)
	if err != nil {
		return nil, fmt.Errorf("notifier %s: %w", n.ID, err)
	}
	return &notifierOutput{Tagged: tagOf(n.Version), Body: shapeNotifier(n, states[n.ID])}, nil
}

func shapeNotifier(n *point.Notifier, state point.NotifierState) Notifier {
	out := Notifier{
		ID: n.ID, Name: n.Name, Type: n.Type, Config: NotifierConfig{To: n.Config.To}, Enabled: n.Enabled, MinSeverity: n.MinSeverity, Kinds: n.Kinds,
		Waiting: state.Waiting, LastSentAt: utc(state.LastSentAt), LastError: state.LastError,
		Version: n.Version, CreatedAt: n.CreatedAt.UTC(), UpdatedAt: n.UpdatedAt.UTC(),
	}
	notNull(&out.Kinds)
	for name, at := range map[string]**string{point.NotifierURL: &out.Config.URL, point.NotifierSecret: &out.Config.Secret} {
		if secret, ok := n.Config.Secrets[name]; ok {
			mask := secret.Masked()
			*at = &mask
		}
	}
	if u, err := url.Parse(n.Config.Secrets[point.NotifierURL].Reveal()); err == nil {
		out.Host = u.Host
	}
	return out
}
