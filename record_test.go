package point

import "testing"

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		what    string
		outcome Outcome
		code    Code
		status  int
		want    bool
	}{
		{"answered", OutcomeComplete, "", 200, false},
		{"the client left", OutcomeClientCancelled, ClientCancelled, 499, false},
		{"broke off", OutcomeTruncated, StreamTruncated, 200, false},
		{"not valid", OutcomeRejected, InvalidRequest, 400, true},
		{"a disabled key", OutcomeRejected, KeyDisabled, 401, true},
		{"no such model", OutcomeRejected, ModelNotFound, 404, true},
		{"no such model, says the provider", OutcomeUpstreamError, ModelNotFound, 404, true},
		{"a limit of the key", OutcomeRejected, RateLimited, 429, true},
		{"a spent budget", OutcomeRejected, KeyBudgetExceeded, 429, true},
		{"a limit of the provider", OutcomeUpstreamError, ProviderRateLimited, 429, false},
		{"the provider refused it", OutcomeUpstreamError, ProviderRejected, 422, true},
		{"the provider's key", OutcomeUpstreamError, ProviderCredentials, 502, false},
		{"the provider failed", OutcomeUpstreamError, ProviderUnavailable, 503, false},
		{"the provider was slow", OutcomeUpstreamError, ProviderTimeout, 504, false},
		{"failed in a stream", OutcomeUpstreamError, ProviderUnavailable, 200, false},
		{"Point is full", OutcomeRejected, Overloaded, 503, false},
		{"Point failed", OutcomeUpstreamError, Internal, 500, false},
		{"no code, the caller's", OutcomeRejected, "", 404, true},
		{"no code, ours", OutcomeRejected, "", 500, false},
	} {
		r := Record{Outcome: c.outcome, ErrorCode: c.code, Status: c.status}
		if r.Refused() != c.want {
			t.Errorf("%s: refused is %t", c.what, !c.want)
		}
	}
}
