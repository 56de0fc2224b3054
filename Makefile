# Point. `make help` lists the commands; each installs or builds what it needs first.

SHELL       := /bin/sh
.SHELLFLAGS := -euc
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X point/app.version=$(VERSION)
TOOL    := go tool -modfile=tools/go.mod
FUZZ    ?= 5000x

# The binary is plain Go. The race detector alone needs a C compiler; scripts/install-deps.sh
# brings one.
export CGO_ENABLED := 0
# One set of flags for all, so that nothing is compiled twice; no folder of this machine gets
# into the binary.
export GOFLAGS := $(strip $(shell go env GOFLAGS) -trimpath)

# SQLite itself is C that was translated to Go and brings its own locks: looking for races in it
# finds none of ours and takes most of the time. Its driver, which is Go, is looked at. argon2 is
# arithmetic on memory of its own, made to be slow.
RACE := -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=golang.org/x/crypto/argon2=-race=false

# Stamps say when something was last done; a target whose sources are older is left alone.
STAMPS  := .cache
CONSOLE := $(shell find console \( -name node_modules -o -name dist -o -name e2e \) -prune -o -type f -print)
RESULTS := $(STAMPS)/results.txt

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build what changed and start Point on http://127.0.0.1:8080 (ARGS="--flag value" are handed on)
	@exec bin/point serve $(ARGS)

.PHONY: build
build: $(STAMPS)/console ## build bin/point, console inside
	@go build -ldflags '$(LDFLAGS)' -o bin/point ./cmd/point

.PHONY: dev
dev: $(STAMPS)/npm ## hot reload of both sides: console on http://127.0.0.1:5173, API and /v1 behind it
	@scripts/dev.sh $(ARGS)

.PHONY: test
test: ## everything that CI runs; installs what this machine lacks
	@scripts/install-deps.sh
	@mkdir -p $(STAMPS) && : >$(RESULTS)
	@$(MAKE) --no-print-directory lint build
	@$(MAKE) --no-print-directory test-go test-console test-sdk test-e2e
	@$(MAKE) --no-print-directory bench-once
	@QUICK=1 $(MAKE) --no-print-directory fuzz
	@echo '== results'; cat $(RESULTS)

.PHONY: check
check: ## the quick one: formatting, vet, lint, Go tests with the race detector, console checks
	@scripts/install-deps.sh
	@mkdir -p $(STAMPS) && : >$(RESULTS)
	@$(MAKE) --no-print-directory lint test-go test-console

.PHONY: lint
lint: ## formatting, vet and staticcheck (its settings: staticcheck.conf)
	@echo '== lint'
	@unformatted=$$(gofmt -s -l $$(git ls-files -co --exclude-standard '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not formatted (run: make fmt):"; echo "$$unformatted"; exit 1; fi
	@go vet ./...
	@$(TOOL) staticcheck ./...

.PHONY: fmt
fmt: $(STAMPS)/npm ## format Go and console
	@gofmt -s -w $$(git ls-files -co --exclude-standard '*.go')
	@cd console && npm run --silent fix

.PHONY: test-go
test-go: $(STAMPS)/console ## every Go test, with the race detector: floors, store on both engines, end-to-end stories
	@echo '== go test -race ./...'
	@mkdir -p $(STAMPS)
	@CGO_ENABLED=1 go test $(RACE) -timeout 15m ./... >$(STAMPS)/go.txt 2>&1 || { cat $(STAMPS)/go.txt; exit 1; }
	@grep -v 'no test files' $(STAMPS)/go.txt | tee -a $(RESULTS)

.PHONY: test-console
test-console: $(STAMPS)/npm ## lint, types, dead code and unit tests of the console
	@echo '== console'
	@cd console && npx openapi-typescript ../api/openapi.json --default-non-nullable=false -o ../$(STAMPS)/api.gen.ts >/dev/null
	@cmp -s $(STAMPS)/api.gen.ts console/src/lib/api.gen.ts || { echo "the console's client is not that of api/openapi.json (run: make generate)"; exit 1; }
	@cd console && npm run --silent lint:api
	@cd console && npm run --silent check

.PHONY: test-e2e
test-e2e: build ## the console's stories in Chromium against the real binary
	@echo '== console in Chromium: every page over invented data, then the stories against the real binary'
	@cd console && npm run --silent e2e
	@cd console && ../scripts/with-point.sh npm run --silent e2e

.PHONY: test-sdk
test-sdk: build $(STAMPS)/sdk-js ## the vendors' own npm clients against the real binary (the Go one is in ./e2e)
	@echo '== npm clients: openai, anthropic, genai, ai-sdk, langchain'
	@cd e2e/sdk-js && npm test --silent >../../$(STAMPS)/sdk.txt 2>&1 || { cat ../../$(STAMPS)/sdk.txt; exit 1; }
	@grep -E '^(#|ℹ) (tests|pass|fail|skipped) ' $(STAMPS)/sdk.txt | tee -a $(RESULTS)

.PHONY: bench
bench: build ## Point beside goproxy and nginx, in interleaved rounds, with the limits it must keep
	@go run ./bench $(ARGS)

.PHONY: bench-once
bench-once:
	@echo '== each benchmark once'
	@go test -run '^$$' -bench . -benchtime 1x \
		$$(grep -rl --include='*_test.go' '^func Benchmark' . | xargs -n 1 dirname | sort -u) >$(STAMPS)/bench.txt 2>&1 || { cat $(STAMPS)/bench.txt; exit 1; }
	@grep -c ^Benchmark $(STAMPS)/bench.txt | sed 's/$$/ benchmarks ran/' | tee -a $(RESULTS)

.PHONY: fuzz
fuzz: ## every fuzz target over 5,000 inputs (FUZZ=10m for long)
	@echo '== fuzz, $(FUZZ) each'
	@scripts/fuzz.sh $(FUZZ)

.PHONY: generate
generate: $(STAMPS)/npm ## write again what is generated: OpenAPI document, console client
	@go generate ./api
	@cd console && npm run --silent generate

.PHONY: prices
prices: ## make the embedded price table again from its npm package
	@go generate ./internal/prices

.PHONY: audit
audit: $(STAMPS)/npm ## the slow checks of staticcheck; known vulnerabilities of dependencies, which needs a network
	@$(TOOL) staticcheck -checks S1011,SA1019,SA4017,SA4018,SA4023,SA5012 ./...
	@$(TOOL) govulncheck ./... || echo 'govulncheck found something, or could not reach its database (see above)'
	@cd console && npm audit --omit=dev || echo 'npm audit found something, or could not reach its registry (see above)'

.PHONY: assure
assure: build ## what is too long for CI: every fuzz target over 300,000 inputs, 100,000 requests to /api, 1,000 changes under load, 100 kills, the Go tests five times
	@scripts/install-deps.sh
	@$(MAKE) --no-print-directory fuzz FUZZ=300000x
	@seed=$$(date +%s); echo "== /api fuzzed, seed $$seed"; go test ./api -run TestFuzzDocument -api.seed $$seed -api.requests 100000 -timeout 30m
	@echo '== /api attacked at full length'; go test ./api -run 'TestOthers|TestStates|TestRefreshRaces|TestGuesses' -api.full -timeout 30m
	@echo '== 1,000 changes of the configuration under load'; go test ./e2e -v -run TestChangesUnderLoad -e2e.changes 1000 -timeout 30m
	@echo '== activations, imports and rotations, killed 100 times each'; POINT_TEST_KILLS=100 go test ./store ./store/document -v -run 'TestRotateKilled|TestKilled(Activation|Import)' -timeout 60m
	@CGO_ENABLED=1 go test $(RACE) -count=5 -timeout 60m ./...

.PHONY: clean
clean: ## remove what was built; ./data stays
	@rm -rf bin $(STAMPS) console/node_modules e2e/sdk-js/node_modules
	@find console/dist -mindepth 1 ! -name .keep -delete 2>/dev/null || :

$(STAMPS)/npm: console/package.json console/package-lock.json
	@echo '== npm ci (console)'
	@mkdir -p $(STAMPS)
	@cd console && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

$(STAMPS)/sdk-js: e2e/sdk-js/package.json e2e/sdk-js/package-lock.json
	@mkdir -p $(STAMPS)
	@cd e2e/sdk-js && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

$(STAMPS)/console: $(STAMPS)/npm $(CONSOLE) api/openapi.json
	@echo '== building the console'
	@find console/dist -mindepth 1 ! -name .keep -delete 2>/dev/null || :
	@cd console && npm run --silent build
	@touch $@
