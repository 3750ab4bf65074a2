VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 10s
CHAOSTAGS ?= chaos
LINT     := go tool -modfile=$(CURDIR)/.ci/tools/go.mod golangci-lint

.PHONY: help build test lint bench bench-refresh dev race fuzz ci tidy interop nightly chaos screenshots
.DEFAULT_GOAL := help

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-13s %s\n", $$1, $$2}' Makefile

build: ## build bin/tollgate
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/tollgate ./cmd/tollgate

test: ## run every test; real-Redis tests run where redis-server is installed
	go test ./...

race: ## run every test under the race detector
	go test -race ./...

lint: ## golangci-lint, the examples included, and a tidy go.mod
	$(LINT) run ./...
	go mod tidy -diff
	cd deploy/examples/grpc && $(LINT) run ./... && go mod tidy -diff
	cd deploy/examples/oidc && $(LINT) run ./... && go mod tidy -diff
	cd deploy/examples/rotation/oidc && $(LINT) run ./... && go mod tidy -diff
	cd deploy/examples/console && $(LINT) run --build-tags browser ./... && go mod tidy -diff

bench: ## run every Go benchmark once
	go test -run '^$$' -bench . -benchmem ./...

bench-refresh: ## what a refresh and a log-in cost: the built binary on a real redis-server
	go test -tags bench -run TestBench -v -count=1 ./cmd/tollgate

dev: ## start a gateway with everything in it, on loopback
	go run ./cmd/tollgate dev

interop: build ## run the examples against other people's programs (.ci/run lists them)
	TOLLGATE_INTEROP_BINARY=$(CURDIR)/bin/tollgate go test -tags interop -count=1 -p 1 -timeout 10m ./deploy/examples/...

screenshots: build ## drive the console in a headless Chromium; a PNG of every page in bin/screenshots
	cd deploy/examples/console && go test -tags browser -count=1 . -args -binary $(CURDIR)/bin/tollgate -shots $(CURDIR)/bin/screenshots

fuzz: ## fuzz each target for FUZZTIME (10s)
	@go test -list '^Fuzz' ./... | awk '/^Fuzz/ {t[n++] = $$1} /^ok/ {for (i = 0; i < n; i++) print t[i], $$2; n = 0}' | \
	while read -r target package; do \
		echo "== $$target $$package"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package" || exit 1; \
	done

nightly: ## what takes longer: fuzzing by the minute, races three times over
	$(MAKE) fuzz FUZZTIME=90s
	go test -tags nightly -run "TestGigabyte|TestIdleWebSockets|TestJWKSHost|TestReloadUnderLoad|TestRotationWithoutRefusal|TestKillKey" -v -timeout 30m ./cmd/tollgate
	go test -tags nightly -run TestFiftyTabs -v -timeout 30m ./issuer
	go test -run TestYear -year.seeds 12 -year.dense -timeout 30m ./keys/ring
	go test -tags nightly -v ./revocation/table
	$(MAKE) chaos CHAOSTAGS='chaos nightly' CHAOSFLAGS=-v
	go test -tags nightly -run TestSimulationOf300 -v ./revocation/revocationsim
	go test -race -count=3 -timeout 60m ./...

chaos: ## fault runs on real processes, each fault once; CHAOSTAGS='chaos nightly' for full counts
	go test -tags '$(CHAOSTAGS)' -run 'TestChaos|TestFailoverLosesNothing|TestSentinel' -count=1 -parallel 4 -timeout 60m $(CHAOSFLAGS) ./cmd/tollgate ./revocation ./internal/testkit

tidy: ## format the code, tidy all modules
	$(LINT) fmt ./...
	go mod tidy
	cd .ci/tools && go mod tidy
	cd deploy/examples/grpc && go mod tidy
	cd deploy/examples/oidc && go mod tidy
	cd deploy/examples/rotation/oidc && go mod tidy
	cd deploy/examples/console && go mod tidy

ci: ## everything that must hold before a change is accepted
	.ci/run
