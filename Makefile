# Two targets matter: `make up` and `make test`. The rest are thin.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
WEB    := api/web
say     = @printf '\033[1m%s\033[0m\n' "$(1)"
export PATH := $(CURDIR)/$(BIN):$(PATH)
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
unexport CONDA_PREFIX PYTHONHOME
.DEFAULT_GOAL := help
.PHONY: help up test bad-day bench soak check check-python check-page web lock clean

help:
	@echo "make up     start everything on embedded defaults and print the address"
	@echo "make test   all tests, one summary"
	@echo "make bad-day  a bad day judged: what happened, its alarms, orders and notices"
	@echo "make bench  what it does in a second, beside the plain way (ARGS=--json …)"
	@echo "make soak   random faults for MINUTES=10, then fuzz and kills at length"
	@echo "make check  style, types, import directions, the page's types"
	@echo "make web    build the page into api/static/"
	@echo "make lock   renew requirements*.lock from pyproject.toml"
	@echo "make clean  remove what was built (never the data directory)"

up: $(VENV)/.ready api/static/index.html
	@exec $(BIN)/dutyroom up

# The stamps, not the folders, say that a step was finished: a broken half is made again.
$(VENV)/.made:
	@$(PYTHON) deploy/bootstrap.py $(VENV)
	@touch $@

$(VENV)/.ready: requirements.lock pyproject.toml $(VENV)/.made
	$(call say,Installing the locked dependencies …)
	@$(BIN)/uv pip sync -q --compile-bytecode --require-hashes requirements.lock
	@$(BIN)/uv pip install -q --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/.ready-dev && touch $@

$(VENV)/.ready-dev: requirements-dev.lock $(VENV)/.ready
	$(call say,Installing the test tools …)
	@$(BIN)/uv pip install -q --compile-bytecode --require-hashes -r requirements-dev.lock
	@touch $@

$(WEB)/node_modules/.ready: $(WEB)/package-lock.json | $(VENV)/.ready
	$(call say,Installing the dependencies of the page (half a minute) …)
	@cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

# The schema is replaced only when it differs, so that a change inside a route builds no page.
$(WEB)/.described: $(VENV)/.ready $(shell find api gateway rules -name '*.py')
	@$(BIN)/python -m api.openapi > $(WEB)/openapi.json.new
	@cd $(WEB) && if cmp -s openapi.json.new openapi.json; then rm openapi.json.new; \
	  else mv openapi.json.new openapi.json; fi
	@touch $@
$(WEB)/openapi.json: $(WEB)/.described ;

PAGE := $(shell find $(WEB) -type f -not -path '*/node_modules/*' -not -name 'openapi.json*' \
          -not -name schema.d.ts -not -name .described)
api/static/index.html: $(WEB)/node_modules/.ready $(WEB)/openapi.json $(PAGE)
	$(call say,Building the page (some ten seconds) …)
	@cd $(WEB) && npm run --silent client >/dev/null && npm run --silent build
	@touch $@

web: api/static/index.html

test: $(VENV)/.ready-dev api/static/index.html
	@$(BIN)/python deploy/test_packages.py
	@$(BIN)/pytest -n 3 --durations 25

bad-day: $(VENV)/.ready-dev
	@$(BIN)/pytest -q --no-header -n 0 tests/system/test_bad_day.py

bench: $(VENV)/.ready-dev
	@$(BIN)/python -m deploy.bench.run $(ARGS)

MINUTES ?= 10
soak: $(VENV)/.ready-dev api/static/index.html
	@MINUTES=$(MINUTES) DUTYROOM_TEST_FUZZ=10 DUTYROOM_TEST_KILLS=500 DUTYROOM_TEST_POSTGRESQL_EVERY=1 $(BIN)/python -m deploy.soak.run

check: check-python check-page

check-python: $(VENV)/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The page's client is written when the page is built; not by two at once.
check-page: api/static/index.html
	cd $(WEB) && npm run --silent check

lock: $(VENV)/.made
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --group build pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  -c requirements.lock --group build --group dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) $(WEB)/node_modules $(WEB)/.described $(WEB)/openapi.json $(WEB)/src/client/schema.d.ts api/static build dist
	find . -name __pycache__ -prune -exec rm -rf {} +
