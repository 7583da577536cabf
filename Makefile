# What this project can do. `make` alone lists it.

GO          ?= go
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FOLDERS     := bench client cmd internal sandbox webhook

# With a throw-away PostgreSQL of the command's own; without one installed, only SQLite is tested, and it says so.
WITH_POSTGRES := $(GO) run ./internal/db/dbtest/throwaway

# The race detector needs a C compiler: Go says whether it found one. It leaves SQLite alone, which is C translated to Go: watched, it takes
# ten times as long, and how it reads its own pages is no race of ours. What calls it is watched.
RACE = $(shell $(GO) env CGO_ENABLED | grep -qx 1 && echo -race '-gcflags=modernc.org/...=-race=false')

# Packages with tests that the race detector would slow beyond use (`//go:build !race`): they run a second time without it.
WITHOUT_RACE = $(shell grep -rl --include='*_test.go' '^//go:build !race' $(FOLDERS) | xargs -n1 dirname | sort -u | sed 's|^|./|')

.DEFAULT_GOAL := help
.PHONY: help up build stripe-mock test check format bench bench-sandbox prove history cents createapikey generate

help: ## list these
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: build ## start a sandbox, a till and a demo merchant, and take a first payment (ARGS="--addr 127.0.0.1:9000 …")
	@./bin/till up $(ARGS)

build: ## build bin/till
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/till ./cmd/till

test: ## run every test, on SQLite and on a throw-away PostgreSQL, with the race detector
	$(GO) vet -tags prove ./...
	$(if $(RACE),,@printf '\n*** No C compiler: the race detector is off. For it: apt-get install gcc libc6-dev\n\n' >&2)
	$(WITH_POSTGRES) $(GO) test -timeout 10m $(WITHOUT_RACE)
	$(WITH_POSTGRES) $(GO) test $(RACE) -timeout 20m ./...

check: ## check the format, vet, staticcheck, and the plan of the house
	@unformatted=$$(gofmt -l $(FOLDERS)) && if [ -n "$$unformatted" ]; then echo "not formatted (make format):"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...
	$(GO) test ./internal

format: ## format the Go files
	gofmt -w $(FOLDERS)

bench: build stripe-mock ## measure till beside its own limit, and the sandbox beside stripe-mock (docs/benchmarks.md)
	$(WITH_POSTGRES) $(GO) run ./bench $(ARGS)

bench-sandbox: build stripe-mock ## measure the sandbox beside stripe-mock alone, in three minutes at most
	$(GO) run ./bench -only sandbox $(ARGS)

# At the version of go.mod, built from its own module file: what it needs besides is no business of ours.
stripe-mock:
	GOBIN=$(CURDIR)/bin $(GO) install github.com/stripe/stripe-mock@$$($(GO) list -m -f '{{.Version}}' github.com/stripe/stripe-mock)

prove: ## search the model; kill till before and after each read and write; look for money lost, doubled or stuck (RUNS=20 MODEL=2 SEED=7 ONLY='…')
	@$(GO) run ./internal/proof/prove $(if $(RUNS),--runs $(RUNS)) $(if $(MODEL),--model $(MODEL)) $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only '$(ONLY)') $(ARGS)

history: ## live through random histories of the sandbox's money, holding the books after each request (STEPS=100000 SEED=7)
	TILL_HISTORY=$(or $(STEPS),100000) TILL_SEED=$(SEED) $(GO) test ./sandbox -run '^TestBooks(OfAMarket)?$$' -count 1 -v

cents: ## live through random histories of a till's money on both engines, every line matched after each step (STEPS=20000 SEED=7)
	TILL_HISTORY=$(or $(STEPS),20000) TILL_SEED=$(SEED) $(WITH_POSTGRES) $(GO) test ./internal/reconcile -run '^TestEveryCent$$' -count 1 -v -timeout 2h

createapikey: build ## make an API key (MERCHANT="My shop" MODE=test ARGS="--scopes payments:read"), printed once
	@./bin/till key create --merchant "$(or $(MERCHANT),My shop)" --mode $(or $(MODE),test) $(ARGS)

generate: ## make the tables of sandbox/spec anew from Stripe's published document
	$(GO) generate ./...
