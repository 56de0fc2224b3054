package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/store"
	"point/store/document"
)

// yamlType is the media type of YAML.
const yamlType = "application/yaml"

type exportConfigInput struct {
	Format string `query:"format" enum:"json,yaml" default:"json" doc:"The text of the answer."`
}

// exportConfig writes the live configuration, without secrets.
func (a *API) exportConfig(ctx context.Context, in *exportConfigInput) (*huma.StreamResponse, error) {
	d, err := document.Export(ctx, a.Store, point.Secret{})
	if err != nil {
		return nil, fromDocument(err, "")
	}
	text, err := document.Write(d, in.Format)
	if err != nil {
		return nil, err
	}
	a.audit(ctx, point.AuditEntry{Event: point.AuditExport, TargetKind: point.EntityConfiguration})
	kind := "application/json"
	if in.Format == document.YAML {
		kind = yamlType
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", kind)
		ctx.SetHeader("Content-Disposition", `attachment; filename="point-config.`+in.Format+`"`)
		_, _ = ctx.BodyWriter().Write(text)
	}}, nil
}

// ExportSecrets is the body that exports the secrets too. It is a body, since a URL ends up in
// logs and histories.
type ExportSecrets struct {
	Passphrase string `json:"passphrase" minLength:"12" maxLength:"1024" writeOnly:"true" doc:"What the secrets are encrypted with. Without it nobody can read them."`
}

type exportSecretsInput struct{ Body ExportSecrets }

type documentOutput struct{ Body ConfigDocument }

// exportSecrets writes the live configuration with its secrets, sealed under a passphrase.
func (a *API) exportSecrets(ctx context.Context, in *exportSecretsInput) (*documentOutput, error) {
	leave, err := a.gate.enter(ctx) // it takes as much memory as a password
	if err != nil {
		return nil, err
	}
	defer leave()
	d, err := document.Export(ctx, a.Store, point.NewSecret(in.Body.Passphrase))
	if err != nil {
		return nil, fromDocument(err, "")
	}
	raw, err := json.Marshal(d)
	a.audit(ctx, point.AuditEntry{Event: point.AuditExportSecrets, TargetKind: point.EntityConfiguration})
	a.Alerts.Raise(AlertExport, who(ctx).user.Email, "The configuration was exported with its secrets, encrypted by a passphrase. If nobody meant to, rotate the providers' keys.")
	return &documentOutput{ConfigDocument{raw}}, err
}

// ImportConfig is the body that imports a configuration.
type ImportConfig struct {
	Config      DocumentInput `json:"config"`
	Name        string        `json:"name,omitempty" minLength:"1" maxLength:"255" pattern:"^[^\\x00-\\x1f\\x7f]+$" patternDescription:"no control characters" doc:"Absent: imported, and the time."`
	Description string        `json:"description,omitempty" maxLength:"2000"`
	Passphrase  string        `json:"passphrase,omitempty" minLength:"12" maxLength:"1024" writeOnly:"true" doc:"Opens the secrets that are sealed in it."`
	DryRun      bool          `json:"dry_run,omitempty" doc:"Check it alone, and save nothing."`

	WithoutSecrets bool `json:"without_secrets,omitempty" doc:"Import without a passphrase what holds sealed secrets, and leave them out."`
}

type importConfigInput struct {
	Repeatable
	Body ImportConfig

	document *document.Imported
}

// Resolve reads the document, so that all its mistakes are listed.
func (in *importConfigInput) Resolve(huma.Context) []error {
	var f faults
	if in.document = in.Body.Config.read("body.config", &f); in.document == nil && len(f) == 0 {
		f.add("body.config", "Give a configuration.")
	}
	return f.errors()
}

// Import is what became of an import.
type Import struct {
	Configuration *Configuration `json:"configuration,omitempty" doc:"What was saved; absent: nothing, in a dry run."`
	Findings      []Finding      `json:"findings" doc:"What to know, and what was left out."`
}

// importOutput answers 201, or 200 to a dry run.
type importOutput struct {
	Status int
	Body   Import
}

// importConfig saves a configuration and makes nothing live.
func (a *API) importConfig(ctx context.Context, in *importConfigInput) (*importOutput, error) {
	c := &point.Configuration{Name: in.Body.Name, Description: in.Body.Description}
	if c.Name == "" {
		c.Name = "imported " + a.Now().UTC().Format(time.DateTime) + " " + rand.Text()[:4] // two may come in one second
	}
	findings, err := document.Import(ctx, a.Store, in.document, c, document.Importing{
		Passphrase: point.NewSecret(in.Body.Passphrase), WithoutSecrets: in.Body.WithoutSecrets, DryRun: in.Body.DryRun,
		Allow: a.rules(ctx).Allow, Opening: a.gate.enter,
	})
	switch {
	case errors.Is(err, document.ErrPassphrase):
		return nil, badPassphrase("This does not open the sealed secrets: it is another one, or the file was changed.")
	case errors.Is(err, document.ErrNoPassphrase):
		return nil, badPassphrase("The configuration holds sealed secrets. Give the passphrase that opens them, or set without_secrets to leave them out.")
	case err != nil:
		return nil, fromDocument(err, "body.config.")
	case in.Body.DryRun:
		return a.checkedImport(ctx, c.Name, findings)
	}
	saved := shapeConfiguration(c)
	return &importOutput{http.StatusCreated, Import{&saved, shapeFindings(findings)}}, nil
}

func badPassphrase(message string) error {
	p := problem(http.StatusUnprocessableEntity, invalidFields)
	p.Errors = faults{{Location: "body.passphrase", Message: message}}
	return p
}

// checkedImport answers a dry run, which finds a name that is taken as the import would.
func (a *API) checkedImport(ctx context.Context, name string, findings []document.Finding) (*importOutput, error) {
	_, err := a.Store.ConfigurationByName(ctx, name)
	switch {
	case err == nil:
		return nil, fromStore(&store.Conflict{Field: "name"}, "configuration")
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	return &importOutput{http.StatusOK, Import{Findings: shapeFindings(findings)}}, nil
}
