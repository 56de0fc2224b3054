package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/adapter/provider"
	"point/store"
)

// Provider is a provider as answers show it.
type Provider struct {
	ID        string               `json:"id" format:"uuid"`
	Name      string               `json:"name" example:"openai-main"`
	Type      string               `json:"type" enum:"api,web" example:"api"`
	Provider  string               `json:"provider" doc:"Its kind, of /api/provider-kinds." example:"openai"`
	Config    ProviderConfig       `json:"config"`
	Status    string               `json:"status" enum:"active,inactive" example:"active"`
	Health    point.ProviderHealth `json:"health"`
	ManagedBy string               `json:"managed_by" enum:"user,file,env,demo" doc:"Where it comes from. What file and env declare cannot be changed here." example:"user"`
	Private   bool                 `json:"private" doc:"It may lead to loopback and private addresses: somebody with providers:private gave its base URL."`
	Secrets   []SecretAge          `json:"secrets" doc:"Its secrets, by their names in config."`
	Version   int64                `json:"version" doc:"Counts its changes; the ETag." example:"1"`
	CreatedAt time.Time            `json:"created_at"`
	UpdatedAt time.Time            `json:"updated_at"`
}

// SecretAge tells how old a secret is.
type SecretAge struct {
	Name  string    `json:"name" example:"api_key"`
	SetAt time.Time `json:"set_at"`
}

type providerOutput struct {
	Tagged
	Body Provider
}

type listProvidersInput struct {
	Paging
	Type   string `query:"type" enum:"api,web" doc:"Only those of this type."`
	Status string `query:"status" enum:"active,inactive" doc:"Only those with this status."`
	Health string `query:"health" enum:"ok,degraded,down,unknown" doc:"Only those whose health is this."`
}

// CreateProvider is the body that creates a provider.
type CreateProvider struct {
	Type     string         `json:"type" enum:"api,web" default:"api" required:"false"`
	Name     string         `json:"name" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$" patternDescription:"a letter or digit, then at most 62 letters, digits, dots, underscores or dashes" example:"openai-main"`
	Provider string         `json:"provider" minLength:"1" maxLength:"100" doc:"Its kind, of /api/provider-kinds." example:"openai"`
	Config   ProviderConfig `json:"config"`
	Status   string         `json:"status,omitempty" enum:"active,inactive" default:"active"`
}

type createProviderInput struct {
	Repeatable
	Body CreateProvider

	kind   *provider.Kind
	config point.ProviderConfig
}

// Resolve reads the config, so that its mistakes are listed beside those of the other fields.
func (in *createProviderInput) Resolve(ctx huma.Context) []error {
	var f faults
	a, who := apiOf(ctx)
	kind, ok := provider.Lookup(in.Body.Provider)
	switch {
	case ok && in.Body.Type != point.TypeWeb:
		in.kind, in.config = kind, a.readConfig(kind, in.Body.Config, nil, who, &f)
	case in.Body.Provider != "":
		f.add("body.provider", "There is no such kind of provider. GET /api/provider-kinds lists them.")
	}
	return f.errors()
}

// readConfig reads a config that who gives.
func (a *API) readConfig(kind *provider.Kind, c ProviderConfig, old *point.ProviderConfig, who *principal, f *faults) point.ProviderConfig {
	return provider.ReadConfig(kind, c.members, old, a.grant(who), f.at("body.config."))
}

// UpdateProvider is the body that changes a provider; absent members stay as they are.
type UpdateProvider struct {
	Name   string          `json:"name,omitempty" pattern:"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$" patternDescription:"a letter or digit, then at most 62 letters, digits, dots, underscores or dashes" example:"openai-main"`
	Config *ProviderConfig `json:"config,omitempty" doc:"Replaces the config, but for its secrets: absent or masked keeps one, null removes it."`
	Status string          `json:"status,omitempty" enum:"active,inactive"`
}

type updateProviderInput struct {
	ByID
	Precondition
	Body UpdateProvider

	provider *point.Provider // as it is to be, or why it cannot be changed
	err      error
}

// Resolve reads the config, so that its mistakes are listed beside those of the other fields.
func (in *updateProviderInput) Resolve(ctx huma.Context) []error {
	a, who := apiOf(ctx)
	in.provider, in.err = a.changeable(ctx.Context(), in.ID, in.IfMatch)
	if in.err != nil || in.Body.Config == nil {
		return nil
	}
	kind, ok := provider.Lookup(in.provider.Kind)
	if !ok {
		in.err = problem(http.StatusConflict, "This version of Point does not know this kind of provider, so its settings cannot be changed.").as(codeUnknownKind)
		return nil
	}
	var f faults
	in.provider.Config = a.readConfig(kind, *in.Body.Config, &in.provider.Config, who, &f)
	return f.errors()
}

type deleteInput struct {
	ByID
	Precondition
}

// ProviderTest is the body that tests a provider; absent members take defaults.
type ProviderTest struct {
	Prompt     string         `json:"prompt,omitempty" maxLength:"100000" doc:"What to say to the model." example:"Say hello."`
	Model      string         `json:"model,omitempty" maxLength:"255" doc:"As the provider knows it. Absent: a chat model that it has." example:"gpt-4o-mini"`
	Parameters map[string]any `json:"parameters,omitempty" maxProperties:"500" doc:"Further members of the request, such as temperature."`
}

type testProviderInput struct {
	ByID
	Body *ProviderTest
}

type testOutput struct{ Body point.TestResult }

func (a *API) listProviders(ctx context.Context, in *listProvidersInput) (*listOutput[Provider], error) {
	filter := store.ProviderFilter{Type: in.Type, Status: in.Status, Page: in.page()}
	if in.Health != "" {
		return a.listByHealth(ctx, in, filter)
	}
	list, err := a.Store.ListProviders(ctx, filter)
	if err != nil {
		return nil, err
	}
	ages, err := a.secretAges(ctx, list.Items)
	if err != nil {
		return nil, err
	}
	return pageOf(in.Paging, list, func(p *point.Provider) Provider { return a.shapeProvider(p, ages[p.ID]) }), nil
}

// secretAges tells when the secrets of providers were set, by the provider's id and the secret's
// name.
func (a *API) secretAges(ctx context.Context, list []point.Provider) (map[string]map[string]time.Time, error) {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	return a.Store.SecretAges(ctx, ids...)
}

// listByHealth lists the providers of one health, which no database knows: all are read.
func (a *API) listByHealth(ctx context.Context, in *listProvidersInput, filter store.ProviderFilter) (*listOutput[Provider], error) {
	var met []Provider
	for filter.Page = (store.Page{Number: 1, Limit: 500}); ; filter.Page.Number++ {
		list, err := a.Store.ListProviders(ctx, filter)
		if err != nil {
			return nil, err
		}
		ages, err := a.secretAges(ctx, list.Items)
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			if p := a.shapeProvider(&list.Items[i], ages[list.Items[i].ID]); p.Health.State == in.Health {
				met = append(met, p)
			}
		}
		if !list.More {
			return cut(in.Paging, met), nil
		}
	}
}

func (a *API) getProvider(ctx context.Context, in *ByID) (*providerOutput, error) {
	p, err := a.Store.GetProvider(ctx, in.ID)
	if err != nil {
		return nil, fromStore(err, "provider")
	}
	return a.answerProvider(ctx, p)
}

func (a *API) createProvider(ctx context.Context, in *createProviderInput) (*providerOutput, error) {
	p := &point.Provider{Name: in.Body.Name, Type: in.Body.Type, Kind: in.kind.Name, Config: in.config, Status: in.Body.Status}
	if err := a.Store.CreateProvider(ctx, p); err != nil {
		return nil, fromStore(err, "provider")
	}
	return a.answerProvider(ctx, p)
}

func (a *API) updateProvider(ctx context.Context, in *updateProviderInput) (*providerOutput, error) {
	p := in.provider
	if in.err != nil {
		return nil, in.err
	}
	if in.Body.Name != "" {
		p.Name = in.Body.Name
	}
	if in.Body.Status != "" {
		p.Status = in.Body.Status
	}
	if err := a.Store.UpdateProvider(ctx, p); err != nil {
		return nil, fromStore(err, "provider")
	}
	return a.answerProvider(ctx, p)
}

func (a *API) deleteProvider(ctx context.Context, in *deleteUsedInput) (*empty, error) {
	p, err := a.changeable(ctx, in.ID, in.IfMatch)
	if err == nil {
		err = in.refuseUsed("provider", usesOfProvider(a.Store.Snapshot(), p))
	}
	if err == nil {
		err = fromStore(a.Store.DeleteProvider(ctx, p.ID, p.Version), "provider")
	}
	return nil, err
}

// changeable reads a provider that is to be changed, and refuses if it may not be.
func (a *API) changeable(ctx context.Context, id, ifMatch string) (*point.Provider, error) {
	p, err := a.Store.GetProvider(ctx, id)
	if err != nil {
		return nil, fromStore(err, "provider")
	}
	if err := Locked(p.ManagedBy, "provider"); err != nil {
		return nil, err
	}
	return p, matches(ifMatch, p.Version, "provider")
}

// Locked refuses to change what is declared outside of the database: it would come back with
// the next look at the file or the next start.
func Locked(managedBy, thing string) error {
	switch managedBy {
	case point.ManagedByFile:
		return problem(http.StatusConflict, fmt.Sprintf("This %s is declared in the configuration file. Change it there: Point takes it within seconds.", thing)).as(codeLocked)
	case point.ManagedByEnv:
		variable := "its environment variable"
		if thing == "key" {
			variable = "POINT_BOOTSTRAP_KEY"
		}
		return problem(http.StatusConflict, fmt.Sprintf("This %s is made from %s. Take the variable away, or change it there and restart Point.", thing, variable)).as(codeLocked)
	}
	return nil
}

// matches refuses a change of something else than what the caller has read.
func matches(ifMatch string, version int64, thing string) error {
	if ifMatch == "" || ifMatch == "*" || strings.TrimPrefix(ifMatch, "W/") == tagOf(version).ETag {
		return nil
	}
	return fromStore(store.ErrStale, thing)
}

func tagOf(version int64) Tagged { return Tagged{ETag: strconv.Quote(strconv.FormatInt(version, 10))} }

func (a *API) answerProvider(ctx context.Context, p *point.Provider) (*providerOutput, error) {
	ages, err := a.Store.SecretAges(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	return &providerOutput{Tagged: tagOf(p.Version), Body: a.shapeProvider(p, ages[p.ID])}, nil
}

func (a *API) shapeProvider(p *point.Provider, ages map[string]time.Time) Provider {
	secrets := []SecretAge{}
	for _, name := range point.SecretNames(ages) {
		secrets = append(secrets, SecretAge{name, ages[name].UTC()})
	}
	return Provider{
		ID: p.ID, Name: p.Name, Type: p.Type, Provider: p.Kind, Config: shapeConfig(&p.Config), Status: p.Status,
		Health: a.healthOf(p), ManagedBy: managedBy(p.ManagedBy), Private: p.Config.AllowPrivate, Secrets: secrets,
		Version: p.Version, CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(),
	}
}

func (a *API) healthOf(p *point.Provider) point.ProviderHealth {
	if a.Health == nil {
		return point.ProviderHealth{State: point.HealthUnknown}
	}
	return a.Health.ProviderHealth(p.ID)
}

// managedBy is the wire's word: in point, "" is user.
func managedBy(by string) string {
	if by == point.ManagedByUser {
		return "user"
	}
	return by
}

// testLimit bounds a test.
const testLimit = 2 * time.Minute

// testProvider really calls the service, as a client's request would.
func (a *API) testProvider(ctx context.Context, in *testProviderInput) (*testOutput, error) {
	p, err := a.Store.GetProvider(ctx, in.ID)
	if err != nil {
		return nil, fromStore(err, "provider")
	}
	if a.Tester == nil {
		return nil, notHere("the gateway")
	}
	var request point.TestRequest
	if in.Body != nil {
		request = point.TestRequest{Prompt: in.Body.Prompt, Model: in.Body.Model}
		if len(in.Body.Parameters) > 0 {
			if request.Parameters, err = json.Marshal(in.Body.Parameters); err != nil {
				return nil, fmt.Errorf("encode the parameters of a test: %w", err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, testLimit)
	defer cancel()
	result, err := a.Tester.TestProvider(ctx, p, request)
	a.auditTest(ctx, point.AuditProviderTest, point.EntityProvider, p.ID, p.Name, err == nil && result.OK)
	return tested(result, err)
}

func tested(result point.TestResult, err error) (*testOutput, error) {
	if err != nil {
		return nil, fromPoint(err)
	}
	if result.Attempts == nil {
		result.Attempts = []point.Attempt{}
	}
	return &testOutput{Body: result}, nil
}

// notHere answers for a port that nothing is joined to.
func notHere(part string) *Problem {
	return problem(http.StatusServiceUnavailable, fmt.Sprintf("This process has no way to reach %s.", part)).as(codeNotConnected)
}

// fromPoint turns a coded error into an answer.
func fromPoint(err error) error {
	var coded *point.Error
	if !errors.As(err, &coded) || coded.Code == point.Internal {
		return err
	}
	p := problem(gatewayStatus(coded.Code), coded.Message).as(Code(coded.Code))
	if coded.Param != "" {
		p.Errors = []ProblemField{{Location: "body." + coded.Param, Message: coded.Message}}
	}
	return p
}
