# Needs only python3 (3.11 or newer) and make; everything else goes into .venv.
PYTHON ?= python3
PYTHONS ?= python3.12 python3.13 python3.14
COUNT ?= 100000
ROOM ?= policy
N ?= 100
SEED ?= 1
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := .venv-demo
DEMO_STAMP := $(DEMO)/.installed
BENCH := .venv-bench
BENCH_STAMP := $(BENCH)/.installed
DOCS := .venv-docs
DOCS_STAMP := $(DOCS)/.installed
# Three processes keep two processors busy while tests wait. Files are tried in the order of
# `testpaths`, which has the slow ones first and the doctests last.
PYTEST := $(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder
# Containers often forbid bytecode. Then each process of the tests would compile all that it imports.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help test demo explore bench bench-instructions docs lint types mypy plugin-free pyright fmt unit coverage redis instructions valgrind pure uvloop properties shuffled soak mutants versions clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 20

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade "pip>=25.1"
	$(BIN)/python -m pip install -q --editable . --group dev
	@touch $@

$(DEMO_STAMP): pyproject.toml
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/python -m pip install -q --upgrade "pip>=25.1"
	$(DEMO)/bin/python -m pip install -q --editable . --group demo
	@touch $@

$(BENCH_STAMP): pyproject.toml
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install -q --upgrade "pip>=25.1"
	$(BENCH)/bin/python -m pip install -q --editable . --group bench
	@touch $@

$(DOCS_STAMP): pyproject.toml
	$(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install -q --upgrade "pip>=25.1"
	$(DOCS)/bin/python -m pip install -q --editable . --group docs
	@touch $@

test: lint types unit pure uvloop instructions ## everything that must hold: lint, rooms, types, tests, instructions

demo: $(DEMO_STAMP) ## the tour: every track a request can take, on loopback
	$(DEMO)/bin/python examples/tour.py

explore: $(STAMP) ## the order service under every two failures at once; OPTIONS=FILE.html writes a page
	cd examples && ../$(BIN)/python -m order_service.explored $(abspath $(OPTIONS))

bench: $(BENCH_STAMP) ## all benchmarks, some 20 minutes on a quiet machine; OPTIONS=--quick takes 4
	@PATH=$$PATH:/usr/sbin; command -v nginx >/dev/null \
		|| DEBIAN_FRONTEND=noninteractive apt-get install -y -q nginx-light >/dev/null 2>&1 \
		|| echo "nginx is not here and cannot be installed: the embedded server answers"
	$(BENCH)/bin/python -m benchmarks $(OPTIONS)

bench-instructions: $(STAMP) valgrind ## instructions of a call against raw aiohttp, a minute; RECORD=1 records them
	$(BIN)/python -m benchmarks.instructions $(if $(RECORD),--record) $(OPTIONS)

instructions: $(STAMP) valgrind ## each call within 5 % of the instructions that are recorded for it
	$(BIN)/python -m benchmarks.instructions --check

valgrind:
	@command -v valgrind >/dev/null \
		|| DEBIAN_FRONTEND=noninteractive apt-get install -y -q valgrind >/dev/null 2>&1 \
		|| { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q valgrind; } >/dev/null 2>&1 \
		|| echo "WARNING: valgrind is not here and cannot be installed: no instructions can be counted"

docs: $(DOCS_STAMP) ## the documentation site, into site/; any warning is an error; looked at in a browser
	$(DOCS)/bin/sphinx-build -q -W --keep-going -E -b html docs site
	@command -v chromium >/dev/null \
		|| { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q chromium; } >/dev/null 2>&1 \
		|| echo "chromium is not here and cannot be installed: the pages are NOT tried in a browser"
	@! command -v chromium >/dev/null \
		|| $(DOCS)/bin/python -m pytest -q -c docs/tests/pytest.ini docs/tests

lint: $(STAMP) ## ruff and the contracts of the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(STAMP) ## mypy --strict over everything; what users see, without the plugin and by pyright too; nothing public lacks a type
	@$(MAKE) --no-print-directory -j 2 mypy plugin-free pyright

mypy: $(STAMP)
	$(BIN)/mypy src tests properties examples benchmarks

plugin-free: $(STAMP)
	$(BIN)/mypy --config-file tests/typing/plugin_free.ini --cache-dir .mypy_cache/plugin_free tests/typing/everywhere.py tests/typing/endpoints.py
	MYPYPATH=stubs $(BIN)/python -m mypy.stubtest --mypy-config-file mypy.ini $(notdir $(basename $(wildcard stubs/*.pyi)))

pyright: $(STAMP)
	$(BIN)/pyright --pythonpath $(BIN)/python
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pyright --verifytypes railhttp --ignoreexternal >$(VENV)/completeness.txt \
		|| { sed -n '/^Symbols used/,$$p' $(VENV)/completeness.txt; exit 1; }
	@grep '^Type completeness' $(VENV)/completeness.txt

fmt: $(STAMP) ## format and sort
	$(BIN)/ruff check --fix-only -q .
	$(BIN)/ruff format -q .

unit: $(STAMP) redis ## tests, properties and doctests
	$(PYTEST)

coverage: $(STAMP) redis ## the same with branch coverage, which takes twice as long; below 95 % it fails
	$(PYTEST) --cov --cov-report=term

redis:
	@command -v redis-server >/dev/null || command -v valkey-server >/dev/null \
		|| DEBIAN_FRONTEND=noninteractive apt-get install -y -q redis-server >/dev/null 2>&1 \
		|| { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q redis-server; } >/dev/null 2>&1 \
		|| echo "WARNING: redis-server is not here and cannot be installed: the tests of shared state ARE SKIPPED"

pure: $(STAMP) ## the tests of the transport once more without aiohttp's C extensions
	AIOHTTP_NO_EXTENSIONS=1 $(PYTEST) tests/transport tests/conformance

uvloop: $(STAMP) ## the socket tests once more on uvloop
	EVENT_LOOP=uvloop $(PYTEST) tests/transport tests/client tests/soak

properties: $(STAMP) ## the properties on new random examples; EXAMPLES=1000 for each
	EXAMPLES=$(or $(EXAMPLES),1000) $(BIN)/python -m pytest -q -n 2 --timeout 0 --hypothesis-profile=search properties

shuffled: $(STAMP) redis ## all tests in a random order, of modules and within them; SEED=1
	$(BIN)/python -m pytest -q -n 2 --random-order-bucket=module --random-order-seed=$(SEED)

soak: $(STAMP) ## many calls against a chaos server, on asyncio and uvloop; COUNT=100000 SEED=1
	$(BIN)/python -m tests.soak --count $(COUNT) --seed $(SEED)

mutants: $(STAMP) ## random mutants of a room against the tests that reach them; ROOM=policy N=100 SEED=1
	$(BIN)/python -m tests.mutants $(ROOM) --count $(N) --seed $(SEED)

versions: ## the tests on the other Pythons that are here; PYTHONS="/path/to/python3.13 …" names them
	@for python in $(PYTHONS); do \
		$$python -c '' 2>/dev/null || { echo "$$python is not here"; continue; }; \
		venv=.venv-$$(basename $$python); \
		$$python -m venv $$venv \
			&& $$venv/bin/python -m pip install -q --upgrade "pip>=25.1" \
			&& $$venv/bin/python -m pip install -q --editable . --group test \
			&& $$venv/bin/python -m pytest -q || exit 1; \
	done

clean: ## remove what the targets above made
	rm -rf $(VENV) .venv-* docs/api site .mypy_cache .ruff_cache .hypothesis .coverage .mutants dist
