package api

import (
	"time"

	"point"
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
	Requests     int64             `json:"requests"`
	Errors       int64             `json:"errors"`
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
	GroupBy string   `query:"groupBy" enum:"minute,hour,day,week,month" default:"hour" doc:"Length of a span; weeks start on Monday."`
	By      []string `query:"by" enum:"provider,model,endpoint,key" doc:"Further dimensions, comma separated."`
	TZ      string   `query:"tz" default:"UTC" maxLength:"64" doc:"Time zone of days, weeks and months." example:"Europe/Berlin"`
}

type statsOutput struct{ Body RequestStats }
