.DEFAULT_GOAL := help
.PHONY: help setup run test check format fuzz mutation bench openapi docs image lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
TEST_WORKERS ?= 2
CODE := app alembic bench tests

help: ## what can be made
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(VENV)/.dev ## the virtual environment, with everything a developer needs

run: $(VENV)/.runtime ## serve on http://127.0.0.1:8000/fhir with a demonstration plan; Ctrl-C stops it
	@$(BIN)/python -m app serve --demo

test: $(VENV)/.dev ## all tests, on a private PostgreSQL
	$(BIN)/python -m pytest -n $(TEST_WORKERS)

check: $(VENV)/.dev ## format, lint, types and the rules of the house
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/house

format: $(VENV)/.dev ## write the code as `make check` wants it
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

fuzz: $(VENV)/.dev ## send the server anything, for half an hour; FUZZ_SEED=n repeats a run
	FUZZ_SECONDS=$${FUZZ_SECONDS:-900} $(BIN)/python -m pytest -q tests/fuzz

mutation: $(VENV)/.dev ## break the access rules one condition at a time, for half an hour
	$(BIN)/python -m tests.mutation --minutes 30

bench: $(VENV)/.dev ## measure, and write bench/results/
	$(BIN)/python -m bench

openapi: $(VENV)/.dev ## write openapi/openapi.json
	$(BIN)/python -m app openapi > openapi/openapi.json

docs: $(VENV)/.dev ## write the pages that are generated: settings, requirements, conformance
	$(BIN)/python -m app settings > docs/settings.md
	$(BIN)/python -m tests.isp.requirements
	$(BIN)/python -m tests.smart.requirements > docs/conformance/smart.md
	$(BIN)/python -m tests.security.rfc9700 > docs/conformance/rfc9700.md

image: ## the container image isp-fhir
	docker build --tag isp-fhir .

lock: $(VENV)/.dev ## pin the newest versions of requirements*.in
	@for name in requirements requirements-dev; do \
	  $(BIN)/pip-compile --quiet --upgrade --strip-extras --generate-hashes --allow-unsafe \
	    --no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	    --output-file $$name.lock $$name.in || exit 1; done

clean: ## remove the virtual environment; the data stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "isp-fhir needs Python 3.11 or later: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A stamp for each lock file: what is installed already is not looked at again.
$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock requirements-definitions.lock $(VENV)/.runtime
	@echo "Installing what developers need into $(VENV) ..."
	@$(PIP) --require-hashes -r requirements-dev.lock
	@$(PIP) --require-hashes --no-deps -r requirements-definitions.lock
	@touch $@
