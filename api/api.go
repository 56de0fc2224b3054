package api

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"point"
	"point/store"
)

// Deps is what the API stands on. Store is required; a nil port answers 503 on its routes.
type Deps struct {
	Store     *store.Store
	Tester    Tester
	Explainer Explainer
	Models    Models
	Usage     KeyUsage // nil: keys are shown without
	Health    Health
	Events    Events
	Alerts    point.Alerter
	OpenID    *OpenID // nil: people sign in by password alone
	Notify    Notifications
	Prices    Prices

	Log     *slog.Logger     // nil: discarded
	Now     func() time.Time // nil: time.Now
	Version string           // of Point, for status

	PublicURL      string         // its origin may write, its host is answered; https makes cookies Secure
	Hosts          []string       // further Host names that are answered, without ports; localhost and IP addresses always are
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and -Proto are believed
	MaxBody        int64          // bytes of a body that holds a configuration or a catalogue; less than maxBody: maxBody
	Rate           int            // requests a second that a user may send to /api, 0: no limit
	EnvAllow       []string       // variables that a provider may name in api_key_env
	AllowPrivate   bool           // those with providers:private may give base URLs on private networks
}

// API serves /api. Make it with New.
type API struct {
	Deps
	tokens  *tokens
	gate    *gate
	mux     *http.ServeMux
	spec    *huma.OpenAPI
	tighten func() // undoes loosen
	started time.Time

	large    map[string]bool // patterns of routes that take a body of up to MaxBody
	public   map[string]bool // and of those that anybody may ask
	arriving *arrivals       // where such bodies arrive
	heavy    chan struct{}   // held while such a body is worked on: it takes much memory
	bodyTime time.Duration   // that a body may take to arrive
	limiter  limiter
	denials  denials
	rotation atomic.Pointer[error] // how the last one of this process ended
}

// New builds the handler of /api/* and /.well-known/jwks.json. It fails if a route names no
// permission, or one that no role has.
func New(deps Deps) (http.Handler, error) {
	if deps.Store == nil {
		return nil, errors.New("api: a store is needed")
	}
	a, err := build(deps)
	if err != nil {
		return nil, err
	}
	return a.secure(a.mux), nil
}

// routes is the whole route table.
func (a *API) routes() []route {
	return []route{
		{get, "/api/setup", Public, on(a.getSetup), "Ask whether Point waits to be set up"},
		{post, "/api/setup", Public, on(a.setUp), "Make the first user, with the token of the set-up link, and sign in"},

		{post, "/api/auth/login", Public, on(a.login), "Sign in"},
		{post, "/api/auth/refresh", Public, on(a.refresh), "Get a new access token for the refresh cookie"},
		{post, "/api/auth/logout", Public, on(a.logout), "Sign out: end the refresh cookie's session"},
		{get, "/api/auth/methods", Public, on(a.getMethods), "Ask which ways to sign in there are"},
		{get, "/api/auth/oidc/start", Public, redirects(a.startOIDC), "Go to the OpenID provider to sign in"},
		{get, "/api/auth/oidc/callback", Public, returns(a.finishOIDC, callbackParams()), "Come back from the OpenID provider"},
		{post, "/api/auth/accept", Public, on(a.accept), "Set your password, with the token of an invitation, and sign in"},
		{get, "/api/auth/me", SignedIn, on(a.me), "Read who is signed in and what they may do"},
		{put, "/api/auth/password", SignedIn, bySession(on(a.changePassword)), "Change your own password; your other sessions end"},
		{get, "/api/auth/sessions", SignedIn, bySession(on(a.listSessions)), "List your own open sessions"},
		{del, "/api/auth/sessions/{id}", SignedIn, bySession(on(a.deleteSession)), "End one of your own sessions"},
		{post, "/api/auth/keys/rotate", SigningRotate, on(a.rotateSigningKey), "Replace the key that signs access tokens"},
		{get, "/api/auth/jwks", Public, on(a.getKeySet), "Read the public keys that verify access tokens"},
		{get, "/.well-known/jwks.json", Public, on(a.getWellKnownKeySet), "Read the public keys that verify access tokens"},

		{get, "/api/providers", ProvidersRead, on(a.listProviders), "List providers"},
		{post, "/api/providers", ProvidersWrite, creates(a.createProvider), "Create a provider"},
		{get, "/api/providers/{id}", ProvidersRead, orNamed(on(a.getProvider)), "Read a provider"},
		{put, "/api/providers/{id}", ProvidersWrite, orNamed(on(a.updateProvider)), "Change a provider"},
		{del, "/api/providers/{id}", ProvidersWrite, orNamed(on(a.deleteProvider)), "Delete a provider"},
		{post, "/api/providers/{id}/test", ProvidersTest, orNamed(on(a.testProvider)), "Send a prompt to a provider and see what comes back"},
		{get, "/api/provider-kinds", ProvidersRead, on(a.listProviderKinds), "List the kinds of provider and their settings"},

		{get, "/api/endpoints", EndpointsRead, on(a.listEndpoints), "List endpoints"},
		{get, "/api/endpoints/{id}", EndpointsRead, on(a.getEndpoint), "Read an endpoint"},
		{put, "/api/endpoints/{id}", EndpointsWrite, on(a.updateEndpoint), "Switch or map an endpoint"},
		{post, "/api/endpoints/{id}/test", EndpointsTest, on(a.testEndpoint), "Send a request through an endpoint and see where it goes"},
		{post, "/api/route/explain", EndpointsRead, on(a.explainRoute), "See which targets would serve a request, without sending it"},

		{get, "/api/aliases", AliasesRead, on(a.listAliases), "List aliases"},
		{post, "/api/aliases", AliasesWrite, creates(a.createAlias), "Create an alias"},
		{get, "/api/aliases/{name}", AliasesRead, on(a.getAlias), "Read an alias"},
		{put, "/api/aliases/{name}", AliasesWrite, on(a.putAlias), "Create or change an alias"},
		{del, "/api/aliases/{name}", AliasesWrite, on(a.deleteAlias), "Delete an alias"},
		{get, "/api/models", ModelsRead, on(a.listModels), "List the models that can be asked for"},
		{get, "/api/models/{kind}/{model}", ModelsRead, on(a.getModel), "Read what a kind's model is"},
		{put, "/api/models/{kind}/{model}", PricesWrite, on(a.putModel), "Say what a model is, in front of the embedded catalogue"},
		{del, "/api/models/{kind}/{model}", PricesWrite, on(a.deleteModel), "Let the embedded catalogue hold again"},

		{get, "/api/keys", KeysRead, orOwn(KeysOwn, on(a.listKeys)), "List client keys"},
		{post, "/api/keys", KeysWrite, orOwn(KeysOwn, creates(a.createKey)), "Create a client key; its token is shown this once"},
		{get, "/api/keys/{id}", KeysRead, orOwn(KeysOwn, on(a.getKey)), "Read a client key"},
		{put, "/api/keys/{id}", KeysWrite, orOwn(KeysOwn, on(a.updateKey)), "Change a client key"},
		{post, "/api/keys/{id}/rotate", KeysWrite, orOwn(KeysOwn, on(a.rotateKey)), "Give a client key a new token, shown this once"},
		{del, "/api/keys/{id}", KeysWrite, orOwn(KeysOwn, on(a.deleteKey)), "Delete a client key"},

		{get, "/api/users", UsersRead, on(a.listUsers), "List users"},
		{post, "/api/users", UsersWrite, creates(a.createUser), "Create a user; without a password, with an invitation"},
		{get, "/api/users/{id}", UsersRead, on(a.getUser), "Read a user"},
		{put, "/api/users/{id}", UsersWrite, on(a.updateUser), "Change a user"},
		{del, "/api/users/{id}", UsersWrite, on(a.deleteUser), "Delete a user; their client keys stay, without an owner"},
		{post, "/api/users/{id}/invitation", UsersWrite, bySession(on(a.inviteUser)), "Make an invitation with which a user sets a new password"},
		{get, "/api/users/{id}/sessions", UsersRead, on(a.listUserSessions), "List a user's open sessions"},
		{del, "/api/users/{id}/sessions", UsersWrite, on(a.deleteUserSessions), "End a user's sessions"},
		{get, "/api/roles", RolesRead, on(a.listRoles), "List roles"},
		{post, "/api/roles", RolesWrite, creates(a.createRole), "Create a role"},
		{get, "/api/roles/{name}", RolesRead, on(a.getRole), "Read a role"},
		{put, "/api/roles/{name}", RolesWrite, on(a.updateRole), "Change a role"},
		{del, "/api/roles/{name}", RolesWrite, on(a.deleteRole), "Delete a role"},
		{get, "/api/permissions", SignedIn, on(a.listPermissions), "List the permissions that roles and tokens are made of"},
		{get, "/api/tokens", TokensRead, orOwn(TokensOwn, on(a.listUserTokens)), "List personal access tokens"},
		{post, "/api/tokens", TokensOwn, bySession(creates(a.createUserToken)), "Create a personal access token; it is shown this once"},
		{del, "/api/tokens/{id}", TokensWrite, orOwn(TokensOwn, on(a.deleteUserToken)), "Revoke a personal access token"},

		{get, "/api/configs", ConfigsRead, on(a.listConfigs), "List saved configurations"},
		{post, "/api/configs", ConfigsWrite, creates(a.saveConfig), "Save the live configuration"},
		{get, "/api/configs/export", ConfigsRead, raw[ConfigDocument]("application/json", "The live configuration; as YAML if asked for.", a.exportConfig, yamlType), "Export the live configuration, without secrets"},
		{post, "/api/configs/export", ConfigsSecrets, on(a.exportSecrets), "Export the live configuration with its secrets, encrypted under a passphrase"},
		{post, "/api/configs/import", ConfigsWrite, takesLarge(orDryRun(creates(a.importConfig))), "Import a configuration: it is saved, and not activated"},
		{get, "/api/configs/{id}", ConfigsRead, on(a.getConfig), "Read a saved configuration"},
		{put, "/api/configs/{id}", ConfigsWrite, takesLarge(on(a.updateConfig)), "Change a saved configuration"},
		{del, "/api/configs/{id}", ConfigsWrite, on(a.deleteConfig), "Delete a saved configuration"},
		{get, "/api/configs/{id}/diff", ConfigsRead, on(a.diffConfig), "See how a saved configuration differs from the live one or another"},
		{post, "/api/configs/{id}/activate", ConfigsActivate, on(a.activateConfig), "Activate a saved configuration, whole or not at all"},
		{get, "/api/revisions", RevisionsRead, on(a.listRevisions), "List the revisions of the live configuration, newest first"},
		{get, "/api/revisions/{version}", RevisionsRead, on(a.getRevision), "Read a revision and what it changed"},
		{get, "/api/revisions/{version}/diff", RevisionsRead, on(a.diffRevision), "See what going back to a revision would change"},
		{post, "/api/revisions/{version}/rollback", RevisionsRollback, on(a.rollBack), "Go back to a revision, which makes a new one"},
		{get, "/api/settings", SettingsRead, on(a.getSettings), "Read the settings"},
		{put, "/api/settings", SettingsWrite, on(a.updateSettings), "Change the settings"},

		{get, "/api/requests", RequestsRead, orOwn(RequestsOwn, on(a.listRequests)), "List requests, newest first"},
		{get, "/api/requests/stats", RequestsRead, orOwn(RequestsOwn, on(a.getRequestStats)), "Count requests, tokens, cost and latency over time"},
		{get, "/api/requests/{id}", RequestsRead, orOwn(RequestsOwn, on(a.getRequest)), "Read a request"},
		{get, "/api/requests/{id}/bodies", RequestsBodies, on(a.getBodies), "Read what a request and its answer said, where that is kept"},
		{post, "/api/requests/{id}/replay", RequestsReplay, on(a.replayRequest), "Send a kept request again, as the routing is now, and see what comes back"},
		{get, "/api/events", RequestsRead, orOwn(RequestsOwn, streams[RequestRecord](a.streamEvents)), "Follow requests as they settle, as server-sent events"},

		{get, "/api/status", StatusRead, on(a.getStatus), "Read the state of the whole system"},
		{get, "/api/status/health", StatusRead, on(a.getHealth), "Read the health checks"},
		{get, "/api/alerts", AlertsRead, on(a.listAlerts), "List alerts, the last raised first"},
		{get, "/api/alerts/{id}", AlertsRead, on(a.getAlert), "Read an alert"},
		{post, "/api/alerts/{id}/acknowledge", AlertsWrite, on(a.acknowledgeAlert), "Say that you look after an alert; it is not sent any more"},
		{post, "/api/alerts/{id}/resolve", AlertsWrite, on(a.resolveAlert), "Close an alert; if its cause goes on, it is raised anew"},

		{get, "/api/alert-rules", AlertRulesRead, on(a.listAlertRules), "List alert rules"},
		{post, "/api/alert-rules", AlertRulesWrite, creates(a.createAlertRule), "Create an alert rule"},
		{get, "/api/alert-rules/{id}", AlertRulesRead, on(a.getAlertRule), "Read an alert rule"},
		{put, "/api/alert-rules/{id}", AlertRulesWrite, on(a.updateAlertRule), "Change an alert rule"},
		{del, "/api/alert-rules/{id}", AlertRulesWrite, on(a.deleteAlertRule), "Delete an alert rule; its open alerts are resolved"},

		{get, "/api/notifiers", NotifiersRead, on(a.listNotifiers), "List notifiers"},
		{post, "/api/notifiers", NotifiersWrite, creates(a.createNotifier), "Create a notifier"},
		{get, "/api/notifiers/{id}", NotifiersRead, on(a.getNotifier), "Read a notifier"},
		{put, "/api/notifiers/{id}", NotifiersWrite, on(a.updateNotifier), "Change a notifier"},
		{del, "/api/notifiers/{id}", NotifiersWrite, on(a.deleteNotifier), "Delete a notifier"},
		{post, "/api/notifiers/{id}/test", NotifiersTest, on(a.testNotifier), "Send a test and see what comes back"},

		{get, "/api/silences", SilencesRead, on(a.listSilences), "List silences, the one that ends last first"},
		{post, "/api/silences", SilencesWrite, creates(a.createSilence), "Create a silence"},
		{get, "/api/silences/{id}", SilencesRead, on(a.getSilence), "Read a silence"},
		{put, "/api/silences/{id}", SilencesWrite, on(a.updateSilence), "Replace what a silence says"},
		{del, "/api/silences/{id}", SilencesWrite, on(a.deleteSilence), "End a silence and delete it"},

		{get, "/api/prices", PricesRead, on(a.listPrices), "List what models cost"},
		{post, "/api/prices/import", PricesWrite, takesLarge(on(a.importPrices)), "Take prices, and what models are, from a catalogue's file: LiteLLM's or models.dev's"},
		{put, "/api/prices/{kind}/{model}", PricesWrite, on(a.putPrice), "Say what a model costs, in place of the embedded price"},
		{del, "/api/prices/{kind}/{model}", PricesWrite, on(a.deletePrice), "Let the embedded price hold again"},

		{get, "/api/logs", LogsRead, on(a.listLogs), "List log entries, newest first"},

		{get, "/api/audit", AuditRead, on(a.listAudit), "List the audit trail, newest first"},
		{get, "/api/audit/checkpoints", AuditRead, on(a.listCheckpoints), "List the signed checkpoints of the audit trail"},
		{get, "/api/audit/verify", AuditRead, on(a.verifyAudit), "Look whether the audit trail is whole"},
		{get, "/api/secrets", SecretsRead, on(a.getSecrets), "Read which keys encrypt stored secrets, and how far a rotation is"},
		{post, "/api/secrets/rotate", SecretsRotate, on(a.rotateSecrets), "Encrypt every stored secret anew with a fresh key"},
		{get, "/api/backup", BackupRead, raw[string]("application/x-tar", "A tar file: manifest.json and the databases. Secrets in them are encrypted; the master key is not among them.", a.getBackup), "Download a backup of the databases, made while they are in use"},

		{get, "/api/openapi.json", Public, raw[Document]("application/json", "OK", a.getOpenAPI), "Read this document"},
		{get, "/api/docs", Public, raw[string]("text/html", "The page.", a.getDocs), "Read this document as a page that sends requests"},
		{get, "/api/docs/docs.js", Public, raw[string]("text/javascript", "The script.", a.getDocsScript), "Load the script of that page"},
		{get, "/api/docs/docs.css", Public, raw[string]("text/css", "The style.", a.getDocsStyle), "Load the style of that page"},
	}
}

// build makes the mux and the document of the route table.
func build(deps Deps) (*API, error) {
	a := prepare(deps)
	return a, a.register(a.routes())
}

// prepare is an API without routes.
func prepare(deps Deps) *API {
	useProblems()
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Now == nil {
		deps.Now = time.Now
	}
	if deps.Alerts == nil {
		deps.Alerts = noAlerts{}
	}
	deps.MaxBody = max(deps.MaxBody, maxBody)
	a := &API{Deps: deps, mux: http.NewServeMux(), started: deps.Now().UTC(), large: map[string]bool{}, public: map[string]bool{}, heavy: make(chan struct{}, 1), arriving: newArrivals(), bodyTime: bodyTime}
	a.tokens = newTokens(a)
	a.gate = newGate(deps.Now)
	a.limiter.perSecond = float64(deps.Rate)
	return a
}

// register serves a table of routes.
func (a *API) register(table []route) error {
	h := a.newHuma()
	for _, r := range table {
		if err := r.check(); err != nil {
			return fmt.Errorf("api: %w", err)
		}
		op := r.operation(r.handler.name)
		if r.handler.large {
			a.large[r.method+" "+r.path] = true
			op.MaxBodyBytes = a.MaxBody + 1
		}
		a.public[r.method+" "+r.path] = r.permission == Public
		r.handler.register(a, h, op)
	}
	a.spec = h.OpenAPI()
	a.tighten = loosen(a.spec)
	return nil
}

// describe adds to the document what only its readers need, and writes it down. Point serves the
// one that was written when it was built.
func (a *API) describe() ([]byte, error) {
	a.tighten()
	defer func() { a.tighten = loosen(a.spec) }()
	describeIDs(a.spec)
	describeRefusals(a.spec)
	if err := describeExamples(a.spec); err != nil {
		return nil, err
	}
	return render(a.spec)
}

// newHuma sets huma up as this API wants it: no pages of its own, JSON alone, Problem.
func (a *API) newHuma() huma.API {
	h := huma.NewAPI(newConfig(), adapter(a.mux))
	h.UseMiddleware(a.authorize, once, a.idempotent)
	return h
}

type noAlerts struct{}

func (noAlerts) Raise(_, _, _ string) {}
