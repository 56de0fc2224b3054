package api

import (
	"context"
	"maps"
	"time"

	"point"
	"point/store"
)

// RequestStats are figures over time.
type RequestStats struct {
	Data []StatsBucket `json:"data"`
}

// StatsBucket is what happened in one span of time, of one group. Without by there is one
// for every span, empty ones too.
type StatsBucket struct {
	Start        time.Time         `json:"start"`
	Group        map[string]string `json:"group" doc:"From the dimensions of by to the group's values." example:"{\"provider\":\"openai-main\"}"`
	Names        map[string]string `json:"names,omitempty" doc:"Of a group by key, whose value is an id: what the key is called. Names are not unique."`
	Requests     int64             `json:"requests"`
	Errors       int64             `json:"errors" doc:"Neither complete nor cancelled by the client."`
	Refused      int64             `json:"refused" doc:"Of the errors, those for a mistake of the caller or a limit of Point; the others are failures of providers and of Point."`
	TokensInput  int64             `json:"tokens_input"`
	TokensOutput int64             `json:"tokens_output"`
	Cost         point.NanoUSD     `json:"cost" doc:"USD, without the unpriced requests." example:"1.25"`
	Unpriced     int64             `json:"unpriced" doc:"Requests of unknown cost."`
	CacheHits    int64             `json:"cache_hits"`
	Latency      Percentiles       `json:"latency"`
	TTFT         Percentiles       `json:"ttft"`
}

// Percentiles are in ms; null if nothing was measured.
type Percentiles struct {
	P50 *int64 `json:"p50"`
	P95 *int64 `json:"p95"`
	P99 *int64 `json:"p99"`
}

type statsInput struct {
	RequestFilter
	GroupBy string   `query:"groupBy" enum:"minute,hour,day,week,month" default:"hour" doc:"Length of a span; weeks start on Monday. Spans are whole: the first begins at or before from, the last ends at or after to."`
	By      []string `query:"by" maxItems:"4" enum:"provider,model,endpoint,key" doc:"Further dimensions, comma separated."`
	TZ      string   `query:"tz" default:"UTC" maxLength:"64" doc:"Time zone of days, weeks and months." example:"Europe/Berlin"`
}

type statsOutput struct{ Body RequestStats }

func (a *API) getRequestStats(ctx context.Context, in *statsInput) (*statsOutput, error) {
	filter, err := a.statsFilter(in)
	if err != nil {
		return nil, err
	}
	buckets, err := a.Store.RequestStats(ctx, scopeOf(ctx), filter)
	if err != nil {
		return nil, err
	}
	names, err := a.names(ctx)
	if err != nil {
		return nil, err
	}
	out := &statsOutput{Body: RequestStats{Data: make([]StatsBucket, len(buckets))}}
	for i := range buckets {
		out.Body.Data[i] = names.shapeBucket(&buckets[i])
	}
	return out, nil
}

// statsFilter reads the query.
func (a *API) statsFilter(in *statsInput) (store.StatsFilter, error) {
	var f faults
	zone, err := time.LoadLocation(in.TZ)
	if err != nil || in.TZ == "Local" {
		f.add("query.tz", "There is no such time zone. Give a name such as Europe/Berlin.")
		zone = time.UTC
	}
	filter := store.StatsFilter{
		Provider: in.Provider, Endpoint: in.Endpoint, Model: in.Model, KeyID: in.Key, From: in.From, To: in.To,
		GroupBy: in.GroupBy, By: in.By, TZ: zone,
	}
	f.oneOfThese("endpoint", in.Endpoint, point.Endpoints())
	f.take("query", filter.Check(a.Now()))
	return filter, f.err()
}

// shapeBucket is b as answers show it: with the names of providers in place of their ids.
func (n names) shapeBucket(b *store.StatsBucket) StatsBucket {
	group := map[string]string{}
	maps.Copy(group, b.Group)
	if name, ok := n.providers[group[store.ByProvider]]; ok {
		group[store.ByProvider] = name
	}
	var called map[string]string
	if name, ok := n.keys[group[store.ByKey]]; ok {
		called = map[string]string{store.ByKey: name}
	}
	return StatsBucket{
		Start: b.Start, Group: group, Names: called, Requests: b.Requests, Errors: b.Errors, Refused: b.Refused,
		TokensInput: b.TokensInput, TokensOutput: b.TokensOutput, Cost: b.Cost, Unpriced: b.Unpriced, CacheHits: b.CacheHits,
		Latency: Percentiles(b.Latency), TTFT: Percentiles(b.TTFT),
	}
}
