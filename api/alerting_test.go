package api

import (
	"net/http"
	"testing"
	"time"

	"point"
	"point/store"
)

func TestAlerts(t *testing.T) {
	w := newWorld(t).withUsers()
	for _, a := range []point.Alert{
		{Kind: "guessing", Subject: "10.0.0.0/24", Severity: point.SeverityWarning, Message: "m", LastAt: w.clock.Now().Add(-time.Hour)},
		{Kind: "rule:x", Subject: "main", Severity: point.SeverityCritical, Message: "m", Detail: []byte(`{"provider_id":"p"}`), LastAt: w.clock.Now()},
	} {
		if err := w.store.UpsertAlert(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	var page List[Alert]
	w.do(viewing, http.MethodGet, "/api/alerts", "").into(t, &page)
	w.run(map[string]string{"id": page.Data[0].ID}, []apiCase{
		{"one", viewing, "GET", "/api/alerts/{id}", "", nil, 200, []string{`"kind":"rule:x"`, `"status":"open"`, `"provider_id":"p"`, `"notified_at":null`}, nil},
		{"unknown", viewing, "GET", "/api/alerts/nothing", "", nil, 404, []string{"There is no such alert."}, nil},
		{"by kind", viewing, "GET", "/api/alerts?kind=guessing", "", nil, 200, []string{`"total":1`}, []string{"rule:x"}},
		{"by severity and subject", viewing, "GET", "/api/alerts?severity=critical&subject=main", "", nil, 200, []string{`"total":1`}, nil},
		{"by time", viewing, "GET", "/api/alerts?to=2026-03-04T12:00:00Z", "", nil, 200, []string{`"total":1`, `"guessing"`}, nil},
		{"backwards", viewing, "GET", "/api/alerts?from=2026-03-04T12:00:00Z&to=2026-03-04T11:00:00Z", "", nil, 422, []string{"query.to"}, nil},
		{"status of both", viewing, "GET", "/api/status", "", nil, 200, []string{`"state":"degraded"`, `"alerts_open":{"critical":1,"warning":1,"info":0}`}, nil},
		{"not for viewers", viewing, "POST", "/api/alerts/{id}/acknowledge", "", nil, 403, []string{"alerts:write"}, nil},
		{"acknowledged", editing, "POST", "/api/alerts/{id}/acknowledge", "", nil, 200, []string{`"status":"acknowledged"`, `"acknowledged_by":"operator@example.com"`}, nil},
		{"acknowledged ones", viewing, "GET", "/api/alerts?status=acknowledged", "", nil, 200, []string{`"total":1`}, nil},
		{"resolved", editing, "POST", "/api/alerts/{id}/resolve", "", nil, 200, []string{`"status":"resolved"`, `"resolved_by":"operator@example.com"`}, nil},
		{"resolved twice", owned, "POST", "/api/alerts/{id}/resolve", "", nil, 200, []string{`"resolved_by":"operator@example.com"`}, nil},
		{"open ones", viewing, "GET", "/api/alerts?status=open", "", nil, 200, []string{`"total":1`}, nil},
		{"nothing to resolve", editing, "POST", "/api/alerts/nothing/resolve", "", nil, 404, nil, nil},
		{"status without a critical one", viewing, "GET", "/api/status", "", nil, 200, []string{`"state":"ok"`, `"critical":0`}, nil},
	})
}

func TestAlertRules(t *testing.T) {
	w := newWorld(t).withUsers()
	vars := map[string]string{"provider": w.make("/api/providers", openAIProvider), "key": w.make("/api/keys", `{"name":"first"}`)}
	vars["rule"] = w.make("/api/alert-rules", `{"name":"errors","kind":"error_rate","threshold":25,"scope":{"provider":"main"}}`)
	declared := &point.AlertRule{Name: "declared", Kind: point.RuleCost, Threshold: 1, WindowMS: 60_000, Severity: point.SeverityInfo, ManagedBy: point.ManagedByFile}
	seeded := &point.AlertRule{Name: "seeded", Enabled: true, Kind: point.RuleDisk, Threshold: 90, WindowMS: 60_000, Severity: point.SeverityInfo, ManagedBy: point.ManagedByDefault}
	for _, r := range []*point.AlertRule{declared, seeded} {
		if err := w.store.CreateAlertRule(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	vars["declared"], vars["seeded"] = declared.ID, seeded.ID
	w.run(vars, []apiCase{
		{"list", viewing, "GET", "/api/alert-rules", "", nil, 200, []string{`"total":3`, `"managed_by":"default"`, `"managed_by":"file"`}, nil},
		{"one", viewing, "GET", "/api/alert-rules/{rule}", "", nil, 200, []string{`"provider":"main"`, `"window_ms":300000`, `"enabled":true`, `"severity":"warning"`, `"cooldown_ms":1800000`, `"unit":"%"`}, nil},
		{"unknown", viewing, "GET", "/api/alert-rules/x", "", nil, 404, nil, nil},
		{"name taken", editing, "POST", "/api/alert-rules", `{"name":"errors","kind":"cost","threshold":1}`, nil, 409, []string{"body.name"}, nil},
		{"mistakes", editing, "POST", "/api/alert-rules", `{"name":"x","kind":"best","threshold":-1,"window_ms":1,"severity":"bad","scope":{"each":"day"}}`, nil, 422, []string{"body.kind", "body.threshold", "body.window_ms", "body.severity", "body.scope.each"}, nil},
		{"another mistake hides no default", editing, "POST", "/api/alert-rules", `{"name":"x","kind":"cost","threshold":"a"}`, nil, 422, []string{"body.threshold"}, []string{"body.severity", "body.window_ms"}},
		{"sense", editing, "POST", "/api/alert-rules", `{"name":"x","kind":"cost","scope":{"provider":"gone","key_id":"{key}","endpoint":"/v2"}}`, nil, 422, []string{"body.threshold", "body.scope.provider", "body.scope.key_id", "body.scope.endpoint"}, []string{"gone"}},
		{"unknown key", editing, "POST", "/api/alert-rules", `{"name":"x","kind":"cost","threshold":1,"scope":{"key_id":"gone"}}`, nil, 422, []string{"body.scope.key_id"}, nil},
		{"of the machine", editing, "POST", "/api/alert-rules", `{"name":"x","kind":"disk","threshold":1,"scope":{"model":"m"}}`, nil, 422, []string{"body.scope.each"}, nil},
		{"changed", editing, "PUT", "/api/alert-rules/{rule}", `{"threshold":30.5,"enabled":false,"scope":{"each":"model"}}`, []string{"If-Match", `"1"`}, 200, []string{`"threshold":30.5`, `"enabled":false`, `"scope":{"each":"model"}`, `"version":2`}, nil},
		{"lost", editing, "PUT", "/api/alert-rules/{rule}", `{"threshold":1}`, []string{"If-Match", `"1"`}, 412, nil, nil},
		{"change without sense", editing, "PUT", "/api/alert-rules/{rule}", `{"kind":"memory"}`, nil, 422, []string{"body.scope.each"}, nil},
		{"declared", editing, "PUT", "/api/alert-rules/{declared}", `{"enabled":false}`, nil, 409, []string{"configuration file"}, nil},
		{"seeded", editing, "PUT", "/api/alert-rules/{seeded}", `{"enabled":false}`, nil, 200, []string{`"managed_by":"default"`}, nil},
		{"not for viewers", viewing, "DELETE", "/api/alert-rules/{rule}", "", nil, 403, nil, nil},
		{"deleted", editing, "DELETE", "/api/alert-rules/{rule}", "", nil, 204, nil, nil},
		{"gone", editing, "DELETE", "/api/alert-rules/{rule}", "", nil, 404, nil, nil},
	})
}

const webhook = `{"name":"team","type":"webhook","config":{"url":"https://hooks.example.com/canary/t0ken","secret":"canary-0123456789abcdef0123456789"}}`

func TestNotifiers(t *testing.T) {
	w := newWorld(t).withUsers()
	id := w.make("/api/notifiers", webhook)
	n, err := w.store.GetNotifier(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	mask := n.Config.Secrets[point.NotifierSecret].Masked()
	w.run(map[string]string{"id": id, "mask": mask}, []apiCase{
		{"list", editing, "GET", "/api/notifiers", "", nil, 200, []string{`"host":"hooks.example.com"`, `"url":"***0ken"`, `"kinds":[]`, `"waiting":0`, `"last_sent_at":null`}, nil},
		{"not for viewers", viewing, "GET", "/api/notifiers", "", nil, 403, nil, nil},
		{"made by admins", editing, "POST", "/api/notifiers", webhook, nil, 403, []string{"notifiers:write"}, nil},
		{"name taken", owned, "POST", "/api/notifiers", webhook, nil, 409, []string{"body.name"}, nil},
		{"mistakes", owned, "POST", "/api/notifiers", `{"name":"x","type":"webhook","config":{"url":"ftp://a","secret":"short","to":["a@example.com"]},"kinds":["[a"]}`, nil, 422, []string{"body.config.url", "body.config.secret", "body.config.to", "body.kinds[0]"}, nil},
		{"another mistake hides no default", owned, "POST", "/api/notifiers", `{"name":1,"type":"email","config":{"to":["a@example.com"]}}`, nil, 422, []string{"body.name"}, []string{"body.min_severity"}},
		{"mail without addresses", owned, "POST", "/api/notifiers", `{"name":"x","type":"email","config":{"to":["nobody"],"url":"https://a.example"}}`, nil, 422, []string{"body.config.to", "body.config.url"}, nil},
		{"mail", owned, "POST", "/api/notifiers", `{"name":"mail","type":"email","config":{"to":["a@example.com"]},"min_severity":"critical"}`, nil, 201, []string{`"to":["a@example.com"]`, `"host":""`}, nil},
		{"slack", owned, "POST", "/api/notifiers", `{"name":"slack","type":"slack","config":{"url":"https://hooks.slack.example/services/canary"}}`, nil, 201, []string{`"host":"hooks.slack.example"`}, nil},
		{"changed", owned, "PUT", "/api/notifiers/{id}", `{"config":{"url":"https://other.example.com/canary","secret":"{mask}"},"enabled":false,"kinds":["rule:*"]}`, nil, 200, []string{`"host":"other.example.com"`, `"secret":"{mask}"`, `"enabled":false`, `"kinds":["rule:*"]`}, nil},
		{"secrets stay", owned, "PUT", "/api/notifiers/{id}", `{"config":{},"name":"renamed"}`, nil, 200, []string{`"secret":"{mask}"`, `"host":"other.example.com"`, `"version":3`}, nil},
		{"secret taken away", owned, "PUT", "/api/notifiers/{id}", `{"config":{"secret":""}}`, nil, 422, []string{"body.config.secret"}, nil},
		{"lost", owned, "PUT", "/api/notifiers/{id}", `{"name":"x"}`, []string{"If-Match", `"1"`}, 412, nil, nil},
		{"tested", editing, "POST", "/api/notifiers/{id}/test", "", nil, 200, []string{`"ok":true`, `"message":"Taken by renamed"`}, nil},
		{"nothing to test", editing, "POST", "/api/notifiers/x/test", "", nil, 404, nil, nil},
		{"deleted", owned, "DELETE", "/api/notifiers/{id}", "", nil, 204, nil, nil},
		{"gone", editing, "GET", "/api/notifiers/{id}", "", nil, 404, nil, nil},
	})
	w.api.Notify = nil
	id = w.make("/api/notifiers", webhook)
	if a := w.do(editing, http.MethodPost, "/api/notifiers/"+id+"/test", ""); a.status != http.StatusServiceUnavailable {
		t.Error(a)
	}
}

func TestSilences(t *testing.T) {
	w := newWorld(t).withUsers()
	id := w.make("/api/silences", `{"subject":"main","until":"2026-03-05T00:00:00Z","comment":"c"}`)
	w.run(map[string]string{"id": id}, []apiCase{
		{"list", viewing, "GET", "/api/silences", "", nil, 200, []string{`"total":1`, `"created_by":"owner@example.com"`, `"active":true`}, nil},
		{"matches nothing", editing, "POST", "/api/silences", `{"until":"2026-03-05T00:00:00Z"}`, nil, 422, []string{"body.kind"}, nil},
		{"mistakes", editing, "POST", "/api/silences", `{"kind":"[a","rule_id":"gone","until":"2026-03-04T00:00:00Z"}`, nil, 422, []string{"body.kind", "body.rule_id", "body.until"}, nil},
		{"changed", editing, "PUT", "/api/silences/{id}", `{"kind":"rule:*","until":"2026-03-06T00:00:00Z"}`, []string{"If-Match", `"1"`}, 200, []string{`"subject":""`, `"kind":"rule:*"`, `"version":2`}, nil},
		{"lost", editing, "PUT", "/api/silences/{id}", `{"kind":"rule:*","until":"2026-03-06T00:00:00Z"}`, []string{"If-Match", `"1"`}, 412, nil, nil},
		{"not for viewers", viewing, "DELETE", "/api/silences/{id}", "", nil, 403, nil, nil},
		{"one", viewing, "GET", "/api/silences/{id}", "", nil, 200, []string{`"kind":"rule:*"`}, nil},
	})
	w.clock.add(36 * time.Hour)
	w.tokens[owned] = w.signIn(w.users[owned])
	w.run(map[string]string{"id": id}, []apiCase{
		{"ended", owned, "GET", "/api/silences/{id}", "", nil, 200, []string{`"active":false`}, nil},
		{"deleted", owned, "DELETE", "/api/silences/{id}", "", nil, 204, nil, nil},
		{"gone", owned, "DELETE", "/api/silences/{id}", "", nil, 404, nil, nil},
	})
}

func TestPrices(t *testing.T) {
	w := newWorld(t).withUsers()
	w.run(nil, []apiCase{
		{"embedded", viewing, "GET", "/api/prices", "", nil, 200, []string{`"total":2`, `"input":"2.5"`, `"source":"embedded"`, `"tiers":1`, `"output":null`, `"from":null`}, nil},
		{"searched", viewing, "GET", "/api/prices?search=GPT&limit=1", "", nil, 200, []string{`"total":1`, `"model":"gpt-4o"`}, nil},
		{"second page", viewing, "GET", "/api/prices?page=2&limit=1", "", nil, 200, []string{`"model":"gpt-4o"`, `"more":false`}, []string{"gemini"}},
		{"behind the last", viewing, "GET", "/api/prices?page=9", "", nil, 200, []string{`"data":[]`}, nil},
		{"not for operators", editing, "PUT", "/api/prices/openai/gpt-4o", `{"input":"1"}`, nil, 403, nil, nil},
		{"overridden", owned, "PUT", "/api/prices/openai/gpt-4o", `{"input":"1.25","output":"0.000001","per_image":"0.04","from":"2026-03-01T00:00:00+01:00"}`, nil, 200, []string{`"input":"1.25"`, `"output":"0.000001"`, `"per_image":"0.04"`, `"source":"override"`, `"from":"2026-02-28T23:00:00Z"`, `"version":1`}, nil},
		{"of a model with a slash", owned, "PUT", "/api/prices/openai-compatible/team%2Fmodel", `{"per_request":"0.01"}`, nil, 200, []string{`"model":"team/model"`}, nil},
		{"of what is no token", owned, "PUT", "/api/prices/openai/all", `{"per_million_characters":"15","per_minute":"0.006","per_thousand_searches":"10","image_output":"32","cache_write_1h":"6","images":[{"kind":"1024x1024/high","usd":"0.167"}]}`, nil, 200,
			[]string{`"per_million_characters":"15"`, `"per_minute":"0.006"`, `"per_thousand_searches":"10"`, `"image_output":"32"`, `"cache_write_1h":"6"`, `"images":[{"kind":"1024x1024/high","usd":"0.167"}]`}, nil},
		{"not of it", owned, "DELETE", "/api/prices/openai/all", "", nil, 204, nil, nil},
		{"both", viewing, "GET", "/api/prices?source=override", "", nil, 200, []string{`"total":2`}, []string{"embedded"}},
		{"by kind and model", viewing, "GET", "/api/prices?kind=openai&model=gpt-4o", "", nil, 200, []string{`"total":1`, `"override"`}, nil},
		{"nothing said", owned, "PUT", "/api/prices/openai/gpt-4o", `{}`, nil, 422, []string{"body.input"}, nil},
		{"negative", owned, "PUT", "/api/prices/openai/gpt-4o", `{"input":"-1"}`, nil, 422, []string{"body.input"}, nil},
		{"lost", owned, "PUT", "/api/prices/openai/gpt-4o", `{"input":"1"}`, []string{"If-Match", `"9"`}, 412, nil, nil},
		{"lost before it was", owned, "PUT", "/api/prices/openai/other", `{"input":"1"}`, []string{"If-Match", `"1"`}, 412, nil, nil},
		{"changed", owned, "PUT", "/api/prices/openai/gpt-4o", `{"input":"3"}`, []string{"If-Match", `"1"`}, 200, []string{`"version":2`, `"output":null`}, nil},
		{"not deleted", owned, "DELETE", "/api/prices/openai/gpt-4o", "", []string{"If-Match", `"1"`}, 412, nil, nil},
	})
	usage := point.Usage{Input: 1_000_000}
	if cost, ok := w.store.Snapshot().Prices.Price("openai", "gpt-4o", w.clock.Now()).Cost(usage); !ok || cost != 3*point.USD {
		t.Errorf("a million tokens cost %v", cost)
	}
	w.run(nil, []apiCase{
		{"deleted", owned, "DELETE", "/api/prices/openai/gpt-4o", "", nil, 204, nil, nil},
		{"gone", owned, "DELETE", "/api/prices/openai/gpt-4o", "", nil, 404, nil, nil},
		{"embedded again", viewing, "GET", "/api/prices?kind=openai", "", nil, 200, []string{`"embedded"`, `"input":"2.5"`}, []string{"override"}},
	})
}

func TestAliasesAreCreated(t *testing.T) {
	w := newWorld(t).withUsers()
	w.run(nil, []apiCase{
		{"created", editing, "POST", "/api/aliases", `{"name":"fast","target":"main/m"}`, nil, 201, []string{`"version":1`}, nil},
		{"taken", editing, "POST", "/api/aliases", `{"name":"fast","target":"other"}`, nil, 409, []string{"body.name"}, nil},
		{"to itself", editing, "POST", "/api/aliases", `{"name":"a","target":"a"}`, nil, 422, []string{"body.target"}, nil},
		{"read", viewing, "GET", "/api/aliases/fast", "", nil, 200, []string{`"target":"main/m"`}, nil},
		{"unknown", viewing, "GET", "/api/aliases/none", "", nil, 404, []string{"There is no such alias."}, nil},
	})
}

// TestStatusTellsOfProviders: an active provider that is down degrades the whole.
func TestStatusTellsOfProviders(t *testing.T) {
	w := newWorld(t).withUsers()
	id := w.make("/api/providers", openAIProvider)
	w.ports.health = map[string]point.ProviderHealth{id: {State: point.HealthDown, Message: "no"}}
	w.run(map[string]string{"id": id}, []apiCase{
		{"down", viewing, "GET", "/api/status", "", nil, 200, []string{`"state":"degraded"`, `"providers_down":1`}, nil},
		{"those that are down", viewing, "GET", "/api/providers?health=down", "", nil, 200, []string{`"total":1`, `"name":"main"`}, nil},
		{"those that are well", viewing, "GET", "/api/providers?health=ok", "", nil, 200, []string{`"total":0`, `"data":[]`}, nil},
		{"no state", viewing, "GET", "/api/providers?health=fine", "", nil, 422, []string{"query.health"}, nil},
		{"switched off", editing, "PUT", "/api/providers/{id}", `{"status":"inactive"}`, nil, 200, nil, nil},
		{"nobody asks it", viewing, "GET", "/api/status", "", nil, 200, []string{`"state":"ok"`, `"providers_down":0`}, nil},
	})
}

// TestRequestsThatFailed: outcomes are told apart, and tests are marked.
func TestRequestsThatFailed(t *testing.T) {
	w := newWorld(t).withUsers()
	p := &point.Provider{Name: "main", Type: point.TypeAPI, Kind: "openai", Status: point.StatusActive}
	k, same := &point.Key{Name: "billing", Status: point.StatusActive}, &point.Key{Name: "billing", Status: point.StatusActive}
	for i, err := range []error{
		w.store.CreateProvider(t.Context(), p),
		w.store.CreateKey(t.Context(), k, point.NewSecret("pt-0123456789abcdef0123")), w.store.CreateKey(t.Context(), same, point.NewSecret("pt-0123456789abcdef0124")),
	} {
		if err != nil {
			t.Fatal(i, err)
		}
	}
	good, bad, left, test := w.record(p, k, time.Minute, 200), w.record(p, same, 2*time.Minute, 502), w.record(p, k, 3*time.Minute, 499), w.record(p, k, 4*time.Minute, 200)
	left.Outcome = point.OutcomeClientCancelled
	test.Request = []byte(point.TestMark + `"model":"gpt-4o"}`)
	if err := w.store.InsertRecords(t.Context(), []point.Record{good, bad, left, test}); err != nil {
		t.Fatal(err)
	}
	w.run(map[string]string{"key": k.ID, "same": same.ID}, []apiCase{
		{"all", viewing, "GET", "/api/requests", "", nil, 200, []string{`"total":4`, `"test":false`, `"test":true`}, nil},
		{"without tests", viewing, "GET", "/api/requests?test=false", "", nil, 200, []string{`"total":3`}, []string{`"test":true`}},
		{"tests alone", viewing, "GET", "/api/requests?test=true", "", nil, 200, []string{`"total":1`, `"test":true`}, nil},
		{"two outcomes", viewing, "GET", "/api/requests?outcome=upstream_error,client_cancelled", "", nil, 200, []string{`"total":2`}, []string{`"complete"`}},
		{"repeated", viewing, "GET", "/api/requests?outcome=upstream_error&outcome=complete&test=false", "", nil, 200, []string{`"total":2`}, []string{`"client_cancelled"`}},
		{"no outcome", viewing, "GET", "/api/requests?outcome=upstream_error,lost", "", nil, 422, []string{"query.outcome"}, nil},
		{"failed", viewing, "GET", "/api/requests?failed=true", "", nil, 200, []string{`"total":1`, `"upstream_error"`}, nil},
		{"not failed", viewing, "GET", "/api/requests?failed=false", "", nil, 200, []string{`"total":3`}, []string{`"upstream_error"`}},
		{"stats by key", viewing, "GET", "/api/requests/stats?groupBy=day&by=key", "", nil, 200, []string{`"group":{"key":"{key}"}`, `"group":{"key":"{same}"}`, `"names":{"key":"billing"}`}, nil},
	})
}

// TestDeletingWhatIsUsed: what something refers to is not deleted but by force.
func TestDeletingWhatIsUsed(t *testing.T) {
	w := newWorld(t).withUsers()
	vars := map[string]string{
		"provider": w.make("/api/providers", openAIProvider), "key": w.make("/api/keys", `{"name":"first"}`), "endpoint": w.endpointID(point.PathChat),
	}
	w.run(vars, []apiCase{
		{"mapped", owned, "PUT", "/api/endpoints/{endpoint}", `{"mapping":{"rules":[{"name":"r","when":{"key":["first"]},"targets":[{"provider":"main"}]}],"fallbacks":[{"provider":"main"}]}}`, nil, 200, nil, nil},
		{"named", owned, "PUT", "/api/aliases/fast", `{"target":"main/m"}`, nil, 200, nil, nil},
		{"named again", owned, "PUT", "/api/aliases/faster", `{"target":"fast"}`, nil, 200, nil, nil},
		{"watched", owned, "POST", "/api/alert-rules", `{"name":"errors","kind":"cost","threshold":25,"scope":{"provider":"main"}}`, nil, 201, nil, nil},
		{"provider", owned, "DELETE", "/api/providers/main", "", nil, 409, []string{"endpoint /v1/chat/completions", "alias fast", "alert rule errors", "force=true"}, []string{"faster"}},
		{"key", owned, "DELETE", "/api/keys/{key}", "", nil, 409, []string{"endpoint /v1/chat/completions"}, nil},
		{"alias", owned, "DELETE", "/api/aliases/fast", "", nil, 409, []string{"alias faster"}, nil},
		{"alias by force", owned, "DELETE", "/api/aliases/fast?force=true", "", nil, 204, nil, nil},
		{"provider by force", owned, "DELETE", "/api/providers/main?force=true", "", nil, 204, nil, nil},
		{"the rest stays", viewing, "GET", "/api/endpoints/{endpoint}", "", nil, 200, []string{`"own_mapping":true`}, nil},
		{"key by force", owned, "DELETE", "/api/keys/{key}?force=true", "", nil, 204, nil, nil},
	})
	if _, err := w.store.GetAlias(t.Context(), "fast"); err == nil {
		t.Error(store.ErrNotFound)
	}
}

func TestMailWithoutServer(t *testing.T) {
	w := newWorld(t).withUsers()
	id := w.make("/api/notifiers", `{"name":"mail","type":"email","config":{"to":["a@example.com"]}}`)
	w.ports.noMail = true
	says := []string{`"body.enabled"`, "POINT_SMTP_URL"}
	w.run(map[string]string{"id": id}, []apiCase{
		{"made", owned, "POST", "/api/notifiers", `{"name":"x","type":"email","config":{"to":["a@example.com"]}}`, nil, 422, says, nil},
		{"all mistakes", owned, "POST", "/api/notifiers", `{"name":"x","type":"email","config":{"to":[]}}`, nil, 422, append(says, "body.config.to"), nil},
		{"made for later", owned, "POST", "/api/notifiers", `{"name":"x","type":"email","enabled":false,"config":{"to":["a@example.com"]}}`, nil, 201, nil, nil},
		{"changed", owned, "PUT", "/api/notifiers/{id}", `{"name":"y"}`, nil, 422, says, nil},
		{"switched off", owned, "PUT", "/api/notifiers/{id}", `{"enabled":false}`, nil, 200, nil, nil},
		{"switched on", owned, "PUT", "/api/notifiers/{id}", `{"enabled":true}`, nil, 422, says, nil},
		{"a webhook", owned, "POST", "/api/notifiers", `{"name":"z","type":"slack","config":{"url":"https://hooks.slack.example/services/canary"}}`, nil, 201, nil, nil},
	})
	w.ports.noMail = false
	w.run(map[string]string{"id": id}, []apiCase{{"with a server", owned, "PUT", "/api/notifiers/{id}", `{"enabled":true}`, nil, 200, nil, nil}})
}

// TestGivenZeros: what is given is not taken for absent.
func TestGivenZeros(t *testing.T) {
	newWorld(t).withUsers().run(nil, []apiCase{
		{"rule", owned, "POST", "/api/alert-rules", `{"name":"a","kind":"cost","threshold":1,"enabled":false,"cooldown_ms":0}`, nil, 201, []string{`"enabled":false`, `"cooldown_ms":0`, `"window_ms":300000`}, nil},
		{"rule without", owned, "POST", "/api/alert-rules", `{"name":"b","kind":"cost","threshold":1}`, nil, 201, []string{`"enabled":true`, `"cooldown_ms":1800000`}, nil},
		{"rule with nulls", owned, "POST", "/api/alert-rules", `{"name":"c","kind":"cost","threshold":1,"enabled":null,"cooldown_ms":null}`, nil, 201, []string{`"enabled":true`, `"cooldown_ms":1800000`}, nil},
		{"notifier", owned, "POST", "/api/notifiers", `{"name":"a","type":"slack","enabled":false,"config":{"url":"https://hooks.slack.example/x"}}`, nil, 201, []string{`"enabled":false`}, nil},
		{"notifier without", owned, "POST", "/api/notifiers", `{"name":"b","type":"slack","config":{"url":"https://hooks.slack.example/x"}}`, nil, 201, []string{`"enabled":true`}, nil},
		{"notifier with null", owned, "POST", "/api/notifiers", `{"name":"c","type":"slack","enabled":null,"config":{"url":"https://hooks.slack.example/x"}}`, nil, 201, []string{`"enabled":true`}, nil},
		{"a list", owned, "POST", "/api/notifiers", `[]`, nil, 422, nil, nil},
	})
}
