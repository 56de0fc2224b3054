package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

var errPending = errors.New("api: being built")

type tokens struct{}
type gate struct{}
type Client struct{}

func newTokens(*API) *tokens                                        { return nil }
func newGate(func() time.Time) *gate                                { return nil }
func unmarshal(data []byte, v any) error                            { return errPending }
func (a *API) secure(h http.Handler) http.Handler                   { return h }
func (a *API) authorize(ctx huma.Context, next func(huma.Context))  { next(ctx) }
func (a *API) idempotent(ctx huma.Context, next func(huma.Context)) { next(ctx) }

type none struct{}

func (a *API) getSetup(context.Context, *none) (*setupStateOutput, error)   { return nil, errPending }
func (a *API) setUp(context.Context, *setupInput) (*tokenOutput, error)     { return nil, errPending }
func (a *API) login(context.Context, *loginInput) (*tokenOutput, error)     { return nil, errPending }
func (a *API) refresh(context.Context, *refreshInput) (*tokenOutput, error) { return nil, errPending }
func (a *API) logout(context.Context, *refreshInput) (*logoutOutput, error) { return nil, errPending }
func (a *API) me(context.Context, *none) (*meOutput, error)                 { return nil, errPending }
func (a *API) listSessions(context.Context, *none) (*listOutput[Session], error) {
	return nil, errPending
}
func (a *API) deleteSession(context.Context, *ByID) (*empty, error)    { return nil, errPending }
func (a *API) getKeySet(context.Context, *none) (*keySetOutput, error) { return nil, errPending }
func (a *API) getWellKnownKeySet(context.Context, *none) (*keySetOutput, error) {
	return nil, errPending
}
func (a *API) listProviders(context.Context, *listProvidersInput) (*listOutput[Provider], error) {
	return nil, errPending
}
func (a *API) createProvider(context.Context, *createProviderInput) (*providerOutput, error) {
	return nil, errPending
}
func (a *API) getProvider(context.Context, *ByID) (*providerOutput, error) { return nil, errPending }
func (a *API) updateProvider(context.Context, *updateProviderInput) (*providerOutput, error) {
	return nil, errPending
}
func (a *API) deleteProvider(context.Context, *deleteInput) (*empty, error) { return nil, errPending }
func (a *API) testProvider(context.Context, *testProviderInput) (*testOutput, error) {
	return nil, errPending
}
func (a *API) listProviderKinds(context.Context, *none) (*listOutput[ProviderKind], error) {
	return nil, errPending
}
func (a *API) listEndpoints(context.Context, *listEndpointsInput) (*listOutput[Endpoint], error) {
	return nil, errPending
}
func (a *API) getEndpoint(context.Context, *ByID) (*endpointOutput, error) { return nil, errPending }
func (a *API) updateEndpoint(context.Context, *updateEndpointInput) (*endpointOutput, error) {
	return nil, errPending
}
func (a *API) testEndpoint(context.Context, *testEndpointInput) (*testOutput, error) {
	return nil, errPending
}
func (a *API) explainRoute(context.Context, *explainRouteInput) (*explanationOutput, error) {
	return nil, errPending
}
func (a *API) listAliases(context.Context, *none) (*listOutput[Alias], error) { return nil, errPending }
func (a *API) putAlias(context.Context, *putAliasInput) (*aliasOutput, error) { return nil, errPending }
func (a *API) deleteAlias(context.Context, *deleteAliasInput) (*empty, error) { return nil, errPending }
func (a *API) listModels(context.Context, *none) (*listOutput[Model], error)  { return nil, errPending }
func (a *API) listKeys(context.Context, *listKeysInput) (*listOutput[Key], error) {
	return nil, errPending
}
func (a *API) createKey(context.Context, *createKeyInput) (*createdKeyOutput, error) {
	return nil, errPending
}
func (a *API) getKey(context.Context, *ByID) (*keyOutput, error)              { return nil, errPending }
func (a *API) updateKey(context.Context, *updateKeyInput) (*keyOutput, error) { return nil, errPending }
func (a *API) deleteKey(context.Context, *deleteInput) (*empty, error)        { return nil, errPending }
func (a *API) listRequests(context.Context, *listRequestsInput) (*listOutput[RequestRecord], error) {
	return nil, errPending
}
func (a *API) getRequestStats(context.Context, *statsInput) (*statsOutput, error) {
	return nil, errPending
}
func (a *API) getRequest(context.Context, *ByID) (*requestOutput, error) { return nil, errPending }
func (a *API) streamEvents(context.Context, *none) (*huma.StreamResponse, error) {
	return nil, errPending
}
func (a *API) getStatus(context.Context, *none) (*statusOutput, error) { return nil, errPending }
func (a *API) getHealth(context.Context, *none) (*healthOutput, error) { return nil, errPending }
func (a *API) listAlerts(context.Context, *listAlertsInput) (*listOutput[Alert], error) {
	return nil, errPending
}
func (a *API) listLogs(context.Context, *listLogsInput) (*listOutput[LogEntry], error) {
	return nil, errPending
}
func (a *API) getOpenAPI(context.Context, *none) (*openAPIOutput, error) { return nil, errPending }
