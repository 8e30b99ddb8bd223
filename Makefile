# make demo    see kplan at work on a real control plane on this machine
# make quick   the tests that need no control plane, in less than a minute
# make test    build all there is to build, and test it
# All other targets are for work on kplan itself; CONTRIBUTING.md has the details.

VERSION := $(shell git describe --tags --match 'v[0-9]*' --dirty 2>/dev/null || echo "dev-$$(git describe --always --dirty 2>/dev/null || echo unknown)")
GOTESTSUM   := gotest.tools/gotestsum@v1.13.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
BENCHSTAT   := golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da
DEMO := .sandbox/demo

export CGO_ENABLED := 0
SHELL := /bin/bash

.PHONY: build demo demo-down quick test e2e race race-cluster torture loop check vet cross cross-sandbox vulncheck \
  golden bench bench-go bench-baseline clean

# BUILDFLAGS=-trimpath makes the same bytes in every directory. It is not given by
# default: the sandbox and the tests would share no compiled package with it.
build:
	go build $(BUILDFLAGS) -ldflags '-s -w -X main.version=$(VERSION)' -o bin/kplan ./cmd/kplan

include sandbox/Makefile.inc

demo: build sandbox
	@DEMO_DIR=$(DEMO) examples/tenant-app/demo.sh

demo-down:
	@bin/kplan-sandbox down -dir $(DEMO) -purge

# One control plane serves the whole run. It is stopped however the run ends,
# and its directory is removed.
define in_a_sandbox
set -eu; \
dir=$$(mktemp -d "$${TMPDIR:-/tmp}/kplan-test-XXXXXX"); \
trap 'bin/kplan-sandbox down -dir "$$dir" -purge >/dev/null' EXIT; \
trap 'exit 130' INT; trap 'exit 143' TERM; \
bin/kplan-sandbox up -dir "$$dir" -detach; \
export KPLAN_TEST_KUBECONFIG="$$dir/kubeconfig" KPLAN_TEST_AUDIT_LOG="$$dir/audit.log" \
  KPLAN_TEST_REQUIRE_CLUSTER=1 PATH="$$PWD/bin/sandbox:$$PATH";
endef

# The inner loop: tests that need a control plane skip themselves. A single
# test takes seconds, as in go test ./plan/diff -run TestLists. Some packages mostly
# wait for timeouts, so more of them run at once than there are processors.
quick:
	env -u KPLAN_TEST_KUBECONFIG -u KPLAN_TEST_REQUIRE_CLUSTER go test -p 4 $(TESTFLAGS) ./...

# TESTFLAGS goes to go test, as in TESTFLAGS=-v.
test: build sandbox bin/$(notdir $(GOTESTSUM))
	@cd sandbox && go vet ./... && go test ./...
	@$(in_a_sandbox) $(TEST) --packages ./... -- -timeout 30m $(TESTFLAGS)

# A few tests that failed are run once more, and listed: on a busy machine a server may have
# started too late. One that passes alone is a fault all the same, of the test or of kplan.
TEST := bin/$(notdir $(GOTESTSUM)) --format pkgname --rerun-fails=1 --rerun-fails-max-failures=3 --rerun-fails-abort-on-data-race

# Tests on a real forge, Gitea, and with the real Helm. To compile the forge takes two processors seven minutes the first
# time, more than CI has left: there, servers in the tests play it. Tests that need it skip
# themselves without KPLAN_TEST_FORGE.
E2E_TESTS    := Gitea
E2E_PACKAGES := ./state/httpstore ./hclspec/modules
E2E_SCRIPTS  := platform|import_helm
e2e: forge helm sandbox
	cd sandbox/forge && go mod tidy -diff
	cd sandbox/helm && go mod tidy -diff
	cd sandbox && KPLAN_TEST_REQUIRE_FORGE=1 go test -run Forge .
	@$(in_a_sandbox) \
	forge=$$(mktemp -d "$${TMPDIR:-/tmp}/kplan-forge-XXXXXX"); \
	trap 'bin/kplan-sandbox forge down -dir "$$forge" -purge >/dev/null; bin/kplan-sandbox down -dir "$$dir" -purge >/dev/null' EXIT; \
	bin/kplan-sandbox forge up -dir "$$forge"; \
	export KPLAN_TEST_FORGE="$$forge/forge.json" KPLAN_TEST_REQUIRE_FORGE=1; \
	go test -timeout 10m -run '$(E2E_TESTS)' $(TESTFLAGS) $(E2E_PACKAGES); \
	go test -timeout 10m -run 'TestScript/($(E2E_SCRIPTS))$$' $(TESTFLAGS) ./cmd/kplan

# The packages in which goroutines share anything, under the race detector, which
# needs cgo and a C compiler. It slows everything down several times, so what needs
# a control plane, with its timeouts, is left to make race-cluster.
RACE_PACKAGES := ./graph/... ./hclspec/... ./state/... ./plan/... ./apply/... ./kube/...
race: bin/$(notdir $(GOTESTSUM))
	CGO_ENABLED=1 $(TEST) --packages '$(RACE_PACKAGES)' -- -race -timeout 20m $(TESTFLAGS)

race-cluster: build sandbox
	@$(in_a_sandbox) CGO_ENABLED=1 go test -race -timeout 60m $(TESTFLAGS) $(RACE_PACKAGES)

# Faults on the way, in full size: an hour and more; see docs/reliability.md.
# TORTUREFLAGS goes to go test, as in
# TORTUREFLAGS='-run TestRandomFaults -seed 7 -count-of 50 -v'.
torture: build sandbox
	go test -tags kplan_fp -timeout 2h ./state -torture
	@$(in_a_sandbox) go test -timeout 12h ./internal/faulttest -torture $(TORTUREFLAGS)
	KPLAN_TORTURE=1 go test ./hclspec/...

# The random rounds of plan/loop_test.go, for as long as LOOP says.
LOOP := 1h
loop: build sandbox
	@$(in_a_sandbox) KPLAN_LOOP=$(LOOP) go test -count=1 -timeout 0 -v -run '^TestLoop$$' ./plan

check: vet
	cd sandbox && go mod tidy -diff && go vet ./... && go run $(STATICCHECK) ./...
	@$(MAKE) --no-print-directory cross vulncheck

# What of make check is about this system alone.
vet:
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	go mod tidy -diff
	go vet ./...
	go run $(STATICCHECK) ./...
	go vet -tags kplan_fp ./state

# The other systems that kplan is built for.
CROSS := darwin/arm64 windows/amd64
cross:
	@set -e; for system in $(CROSS); do \
	  export GOOS=$${system%/*} GOARCH=$${system#*/}; \
	  echo "go build and go vet for $$system"; go build ./...; go vet ./...; \
	done

# The sandbox on a Mac: it compiles most of Kubernetes, so it is not in make check.
# It runs where etcd and kube-apiserver do, so not on Windows.
cross-sandbox:
	cd sandbox && GOOS=darwin GOARCH=arm64 go build ./... && GOOS=darwin GOARCH=arm64 go vet ./...

vulncheck: bin/$(notdir $(GOVULNCHECK))
	@.ci/vulncheck $<
	@.ci/vulncheck $< sandbox

bin/$(notdir $(GOTESTSUM)):
	GOBIN="$$PWD/bin" go install $(GOTESTSUM) && mv bin/gotestsum $@

bin/$(notdir $(GOVULNCHECK)):
	GOBIN="$$PWD/bin" go install $(GOVULNCHECK) && mv bin/govulncheck $@

# Rewrites what the tests compare with. Read the diff before you commit it.
golden: build sandbox
	@$(in_a_sandbox) go test ./cmd/kplan ./hclspec ./internal/render -update

# Compares kplan with other tools, side by side on a sandbox of its own; see
# docs/performance.md. BENCHFLAGS='-tenants 25 -rounds 1' takes a minute,
# BENCHFLAGS='-mode sweep' and '-mode unmanaged' are the other two modes.
bench: build sandbox
	@go run ./internal/bench $(BENCHFLAGS)

# The benchmarks of single packages, compared with the baseline, which
# bench-baseline replaces.
BENCH_PACKAGES := ./addrs ./apply ./graph ./hclspec ./kinds ./kinds/server ./kube ./plan ./plan/diff ./state ./internal/render
BENCH_COUNT    := 6
GO_BENCH       := go test -run '^$$' -bench . -benchmem -benchtime 200ms -count $(BENCH_COUNT) $(BENCH_PACKAGES)
bench-go:
	@mkdir -p bin
	$(GO_BENCH) | tee bin/bench.txt
	go run $(BENCHSTAT) docs/bench-baseline.txt bin/bench.txt

bench-baseline:
	$(GO_BENCH) > docs/bench-baseline.txt

clean:
	rm -rf bin dist
