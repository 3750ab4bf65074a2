VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 10s
CHAOSTAGS ?= chaos
LINT     := go tool -modfile=$(CURDIR)/.ci/tools/go.mod golangci-lint

.PHONY: alerts-check help build man test lint bench bench-refresh bench-edge bench-flat bench-soak bench-latency profile pgo dev race fuzz ci tidy interop nightly chaos screenshots dist deploy-check check-files check-kube check-image
.DEFAULT_GOAL := help

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-13s %s\n", $$1, $$2}' Makefile

build: ## build bin/tollgate
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/tollgate ./cmd/tollgate

man: build ## write the manual pages into bin/man
	bin/tollgate man bin/man

dist: ## archives for linux and darwin, checksums, SBOM; the same bytes from the same commit
	go run ./deploy/release -version '$(VERSION)' -time $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct),0) -out dist

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
	cd deploy/kubetest && $(LINT) run ./... && go mod tidy -diff

bench: ## run every Go benchmark once
	go test -run '^$$' -bench . -benchmem ./...

bench-refresh: ## what a refresh and a log-in cost: the built binary on a real redis-server
	go test -tags bench -run TestBench -v -count=1 ./cmd/tollgate

BENCH := go test -tags bench -v -count=1 -timeout 3h ./internal/bench
bench-edge: build ## a request at the edge beside nginx and HAProxy, by processor time; BENCHFLAGS='-bench.rounds 5'
	$(BENCH) -run TestBenchEdge -args -bench.json $(CURDIR)/bin/bench-edge.json $(BENCHFLAGS)

bench-flat: build ## the same as tokens, revocations, routes and clients grow in number
	$(BENCH) -run TestBenchFlat -args -bench.json $(CURDIR)/bin/bench-flat.json $(BENCHFLAGS)

bench-soak: build ## the edge at full load for a minute: memory, goroutines, collections
	$(BENCH) -run TestBenchSoak -args -bench.json $(CURDIR)/bin/bench-soak.json $(BENCHFLAGS)

bench-latency: build ## how much later answers come through the edge and through nginx
	$(BENCH) -run TestBenchLatency -args $(BENCHFLAGS)

profile: build ## CPU profiles of the edge under load, warm and cold, into bin/
	$(BENCH) -run TestBenchProfile -args -bench.seconds 10 $(BENCHFLAGS)

pgo: profile ## renew cmd/tollgate/default.pgo, which every build of the program takes
	go tool pprof -proto bin/edge-*.pprof > cmd/tollgate/default.pgo

dev: ## start a gateway with everything in it, on loopback
	go run ./cmd/tollgate dev

interop: build ## run the examples against other people's programs (.ci/run lists them)
	TOLLGATE_INTEROP_BINARY=$(CURDIR)/bin/tollgate go test -tags interop -count=1 -p 1 -timeout 10m ./deploy/examples/...

screenshots: build ## drive the console in a headless Chromium; a PNG of every page in bin/screenshots
	cd deploy/examples/console && go test -tags browser -count=1 . -args -binary $(CURDIR)/bin/tollgate -shots $(CURDIR)/bin/screenshots

alerts-check: ## alerts, runbooks and dashboard: names, tests, Prometheus's own parser (promtool)
	CI=true go test -run 'TestAlerts|TestDashboard|TestProvisioning|TestMetricsDocument' -count=1 ./cmd/tollgate

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

deploy-check: check-files check-kube check-image ## deploy/ against the program and the tools; a tool that is missing is named

check-files: # image, Compose, systemd (systemd-analyze), Redis (redis-server), release
	go test -count=1 -v ./deploy ./deploy/release

check-kube: # chart (Helm's Go module) and kustomizations (kubectl)
	cd deploy/kubetest && go test -count=1 -v ./...

check-image:
	@if docker info >/dev/null 2>&1; then docker build -q -f deploy/docker/Dockerfile --build-arg VERSION='$(VERSION)' .; \
	else echo 'no container engine: the image is not built; check-files builds and runs what would be in it'; fi

tidy: ## format the code, tidy all modules
	$(LINT) fmt ./...
	go mod tidy
	cd .ci/tools && go mod tidy
	cd deploy/examples/grpc && go mod tidy
	cd deploy/examples/oidc && go mod tidy
	cd deploy/examples/rotation/oidc && go mod tidy
	cd deploy/examples/console && go mod tidy
	cd deploy/kubetest && go mod tidy

ci: ## everything that must hold before a change is accepted
	.ci/run
