package adapter

import (
	"io"
	"net/http"
	"strconv"

	"point"
	"point/adapter/provider"
	"point/internal/tokens"
)

// counts reports whether Point itself counts the tokens of a prompt, since the target cannot.
func (t *transaction) counts(target point.Target) bool {
	if t.call.Path != point.PathCountTokens {
		return false
	}
	kind, ok := provider.Lookup(target.Provider.Kind)
	return !ok || !kind.Counts(t.call.Dialect, target.Model, &target.Provider.Config)
}

// estimated answers with Point's own count; nothing is sent to the target.
func (t *transaction) estimated(target point.Target) *point.Reply {
	t.record.ProviderID, t.record.UpstreamModel, t.record.Route.Reason = target.Provider.ID, target.Model, target.Reason
	n := max(tokens.Prompt(t.call, target.Model, t.targetDialect()), 1)
	return &point.Reply{
		Target: target, Status: http.StatusOK, Header: http.Header{"X-Point-Estimated": {"true"}}, Inner: t.call.Dialect == point.DialectGemini,
		Blocks: &said{data: []byte(`{"input_tokens":` + strconv.FormatInt(n, 10) + `}`)},
	}
}

// said is an answer that is known as a whole.
type said struct{ data []byte }

func (s *said) Next() (point.Block, error) {
	if s.data == nil {
		return point.Block{}, io.EOF
	}
	block := point.Block{Kind: point.BlockDone, Data: s.data}
	s.data = nil
	return block, nil
}

func (s *said) Close() error { return nil }
