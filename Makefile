# IRISX in a few words: `make demo` shows it running, `make test` proves it, `make check` reads it.
# Needs Python 3.11 or newer with pip, and make. Everything else goes into .venv; data goes into .irisx.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test chaos fuzz acceptance check lock screenshots fmt

# Every process of ours would compile Django anew: seconds each.
unexport PYTHONDONTWRITEBYTECODE

PY := .venv/bin/python
FIND_PYTHON := for name in python3.11 python3.12 python3.13 python3 python; do \
	if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$$name"; exit; fi; done
PYTHON ?= $(shell $(FIND_PYTHON))
INSTALL = @test -n "$(PYTHON)" || { echo "IRISX needs Python 3.11 or newer on PATH; none was found." >&2; exit 1; }; \
	"$(PYTHON)" irisx/local/bootstrap.py
# What Django's settings ask for where no server is needed.
NO_SERVERS = SECRET_KEY=only-for-checks-that-sign-nothing-and-reach-no-server \
	DATABASE_URL=postgres://nobody@127.0.0.1:9/none REDIS_URL=redis://127.0.0.1:9/0
RESOLVE = uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet

help:
	@echo "make demo         run everything on this machine, with a demo company; Ctrl-C stops it"
	@echo "make demo-reset   forget the demo's data"
	@echo "make test         run every test on real PostgreSQL and Valkey"
	@echo "make chaos        break everything under 200 writers, for some minutes"
	@echo "make fuzz         make up requests to every operation of the API, some hundred each"
	@echo "make acceptance   calls by a real switch: FREESWITCH_URL=esl://… SIP_CARRIER=host:port"
	@echo "make check        linters, types, layers, migrations, both Python versions"
	@echo "make fmt          format the code"
	@echo "make lock         resolve the dependencies of pyproject.toml anew (needs uv)"
	@echo "make screenshots  take the pictures of the README anew (needs Chromium)"

# The guard ends the demo when make itself is killed.
demo:
	$(INSTALL) requirements-local.lock
	@exec $(PY) -I -S irisx/local/guard.py $$PPID 15 -1 -1 $(PY) -m irisx.local demo

demo-reset:
	$(INSTALL) requirements-local.lock
	@$(PY) -m irisx.local reset

test:
	$(INSTALL) requirements-dev.lock
	@$(PY) -m pytest -n logical --maxprocesses 4 --dist loadgroup

chaos:
	$(INSTALL) requirements-dev.lock
	@CHAOS=long $(PY) -m pytest -s tests/chaos

fuzz:
	$(INSTALL) requirements-dev.lock
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-100} $(PY) -m pytest -s -n logical --maxprocesses 4 tests/matrix/test_fuzz.py

acceptance:
	$(INSTALL) requirements-dev.lock
	@test -n "$(FREESWITCH_URL)" || { echo "make acceptance FREESWITCH_URL=esl://listener:password@host:8021 [SIP_CARRIER=host:port]" >&2; exit 1; }
	@ACCEPTANCE_SWITCH='$(FREESWITCH_URL)' ACCEPTANCE_CARRIER='$(SIP_CARRIER)' $(PY) -m pytest -p no:randomly tests/acceptance

check:
	$(INSTALL) requirements-dev.lock
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(NO_SERVERS) $(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) -m pytest -q tests/test_architecture.py
	$(NO_SERVERS) $(PY) manage.py makemigrations --check --dry-run
	.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(PY) -m irisx.local.interpreters

fmt:
	$(INSTALL) requirements-dev.lock
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

# Each lock is held to the one before it, so that it is a part of the next.
lock:
	@command -v uv >/dev/null || { echo "make lock needs uv on PATH." >&2; exit 1; }
	$(RESOLVE) pyproject.toml --output-file requirements.lock
	$(RESOLVE) pyproject.toml --extra local --constraint requirements.lock --output-file requirements-local.lock
	$(RESOLVE) pyproject.toml --extra local --extra dev --constraint requirements-local.lock --output-file requirements-dev.lock

screenshots:
	$(INSTALL) requirements-dev.lock
	@mkdir -p docs/images
	@SCREENSHOTS_DIR=$(CURDIR)/docs/images $(PY) -m pytest -p no:randomly tests/browser/test_story.py tests/browser/test_widget.py
