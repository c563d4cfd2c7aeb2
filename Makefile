# `make demo` and `make test` are the two commands; `make` alone runs everything CI runs.
PYTHON ?= python3
TAG    := $(shell $(PYTHON) -c 'import sys; print("py%d.%d" % sys.version_info[:2])')
VENV   := .venv/$(TAG)
BIN    := $(VENV)/bin
EMULATORS := $(VENV)-emulators
TESTS  ?=
PROCESSES ?= $(if $(TESTS),0,4)
ENVIRONMENT ?=
SERVER ?=

export TAILRACE_SERVER := $(SERVER)
export PYTHONSAFEPATH := 1# no module of the current folder is imported by mistake; the environments know where ours are
export PYTHONDONTWRITEBYTECODE :=# a module is compiled once, not by every process that tests start

.DEFAULT_GOAL := all
.PHONY: all env demo razors test test-fast faults check audit format site docs bench up watch down dist package synth bootstrap diff deploy lock clean help

all: check test                 ## everything CI runs

help:                           ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile

env: $(VENV)/.ready $(EMULATORS)/.ready   ## create the environments (.venv/), nothing outside this folder

$(VENV)/.ready: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tailrace needs Python 3.11 or newer: make PYTHON=python3.13 ...")'
	@echo "creating $(VENV) (about half a minute, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(EMULATORS)/.ready: requirements/emulators.txt
	@echo "creating $(EMULATORS) (mongod and the AWS emulator)"
	@$(PYTHON) -m venv $(EMULATORS)
	@$(EMULATORS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r requirements/emulators.txt
	@touch $@

$(VENV)/.infra-ready: requirements/infra.txt requirements/cdk/package-lock.json $(VENV)/.ready
	@echo "adding the CDK to $(VENV) (half a gigabyte, about half a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: -r requirements/infra.txt
	@$(BIN)/python -m infra.cdk --version > /dev/null 2>&1 || echo "npm did not fetch the CDK's command line: make deploy will try again"
	@touch $@

demo: env                       ## the whole path on this machine, with a kill -9 in the middle (KEEP=1 leaves it running)
	@$(BIN)/python -m devstack demo $(if $(KEEP),--keep)

razors: env $(VENV)/.infra-ready ## the stories of examples/razors, three domains and an order store, hop by hop (about 100 s)
	@cd examples/razors && ../../$(BIN)/python -P -m pytest -q -s --wait -p no:cacheprovider tests/test_stories.py

test: env $(VENV)/.infra-ready  ## every test, in PROCESSES=4 (TESTS='tests/tailer -k lanes' for some, in one)
	@$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile $(TESTS)

test-fast: $(VENV)/.ready       ## what needs no mongod, no AWS emulator, no CDK and no other process
	@$(BIN)/python -m pytest --fast -n $(if $(TESTS),0,auto) --dist worksteal $(TESTS)

faults: env                     ## the whole fault suite: kills, zombies, fail-overs, throttles … (about 30 minutes; FAULTS=--help)
	@$(BIN)/python -m tests.faults $(FAULTS)

check: env $(VENV)/.infra-ready ## format, lint, types, import contracts, the site of the docs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@cd examples/razors && ../../$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m infra.pages.site

audit: env $(VENV)/.infra-ready ## known advisories of every locked package; TAILRACE_IMAGE=NAME scans an image too
	@$(BIN)/python -m infra.supply.audit $(BIN)

format: env                     ## format the code and fix what ruff can fix
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

site: env $(VENV)/.infra-ready  ## docs/ as a site that can be searched, to dist/site/docs/
	@$(BIN)/python -m infra.pages.site

docs: env $(VENV)/.infra-ready  ## what is made from the code: events.md and schemas/ of examples/payments, docs/reference/configuration.md, commands.md, docs/operations/metrics.md, tables of docs/operations/rights.md and costs.md
	@cd examples/payments && ../../$(BIN)/python -P -m tailrace.cli schemas write
	@$(BIN)/python -m infra.pages

bench: env                      ## changes per second, beside baselines measured in the same run
	@$(BIN)/python -m benchmarks

up:                             ## the same system under docker compose, and the demo there
	@TAILRACE_AWS_KEY="$${TAILRACE_AWS_KEY:-$$($(PYTHON) -c 'import secrets; print("LOCAL" + secrets.token_hex(12).upper())')}" \
	  docker compose up --build --detach || { echo "Is a port taken? Then: TAILRACE_MONGODB_PORT=27018 TAILRACE_AWS_PORT=4567" \
	  "TAILRACE_HTTP_PORT=8081 make up. What did come up is still there: make down removes it." >&2; exit 1; }
	docker compose logs --follow --no-log-prefix demo
	@exit $$(docker inspect --format '{{.State.ExitCode}}' $$(docker compose ps --all --quiet demo))

watch:                          ## the events of what `make up` started, as they arrive
	@TAILRACE_AWS_KEY="$$(docker compose exec -T tailer printenv AWS_ACCESS_KEY_ID)" docker compose run --rm --no-deps demo watch

down:                           ## stop it, and remove its volumes and the images that it built
	docker compose down --volumes --remove-orphans --rmi local

dist: env $(VENV)/.infra-ready  ## the sdist and the wheel that is built from it, in dist/; the same files give the same bytes
	@env -u SOURCE_DATE_EPOCH PATH="$(BIN):$$PATH" $(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python --clear --out-dir dist/python
	@cd dist/python && sha256sum tailrace-*

package: env                    ## dist/forwarder.zip for Lambda (Python 3.13, arm64)
	@$(BIN)/python -m infra.package

synth: env $(VENV)/.infra-ready ## the stack of an environment to cdk.out/, checked (ENVIRONMENT=mine; else the trial); no account needed
	@$(BIN)/python -m infra --environment '$(or $(ENVIRONMENT),trial)'

bootstrap: env $(VENV)/.infra-ready   ## prepare the account and region of your credentials for the CDK, once
	@$(BIN)/python -m infra.cdk bootstrap

diff: env $(VENV)/.infra-ready  ## what a deployment would change; say of which: ENVIRONMENT=mine
	@$(BIN)/python -m infra.cdk --environment '$(ENVIRONMENT)' diff

deploy: env $(VENV)/.infra-ready ## put ENVIRONMENT=mine into the AWS account of your credentials; asks before it widens a right (CDK=--no-rollback)
	@$(BIN)/python -m infra.cdk --environment '$(ENVIRONMENT)' deploy $(CDK)

COMPILE = @$(BIN)/uv pip compile -q --universal --python-version 3.11 --only-binary :all: --generate-hashes --no-emit-index-url \
  --no-header --no-annotate $(LOCK)

# dev.txt is the lock: infra.txt adds to its environment, and the parts that are shipped are subsets of it. The emulators have one of
# their own. (A uv.lock names a registry, and pip installs nothing from it.)
lock: env $(VENV)/.infra-ready  ## make requirements/ again from pyproject.toml and requirements/cdk/package.json (LOCK=--upgrade: newest versions)
	$(COMPILE) pyproject.toml --extra dev --group dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml --extra cdk --group synth -c requirements/dev.txt -o requirements/infra.txt
	$(COMPILE) pyproject.toml --extra tailer -c requirements/dev.txt -o requirements/tailer.txt
	$(COMPILE) pyproject.toml --extra forwarder -c requirements/dev.txt -o requirements/forwarder.txt
	$(COMPILE) --group emulators -o requirements/emulators.txt
	@$(BIN)/python -m infra.supply.command_line lock

clean:                          ## remove what make created
	rm -rf .venv dist cdk.out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
