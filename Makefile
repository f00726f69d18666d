# A fresh machine needs Python 3.11 to 3.13, make and git; everything else comes from the package index.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
# Goes before each command that downloads: behind a proxy or a mirror its authority is in the system's store alone.
TRUSTING := $(BIN)/python .ci/certificates.py

# Without .pyc files every start of Airflow compiles thousands of modules, which takes 8 s instead of 2.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup browser pooler cluster-tools demo stop test test-most test-stack test-cluster chart faults histories mutants bench bench-scale lint lock audit
.DEFAULT_GOAL := setup

setup: $(STAMP)  ## install into .venv
	@$(BIN)/python .ci/one_owner.py

$(STAMP): requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Python 3.11 to 3.13 is needed, '$(PYTHON)' is not: call make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	sed -n '/^uv==/,/# via/p' requirements-dev.txt > .venv/uv.txt
	$(TRUSTING) $(BIN)/python -m pip install --quiet --require-hashes --requirement .venv/uv.txt
	$(TRUSTING) $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.txt -r requirements-dev.txt
	$(TRUSTING) $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup  ## sandbox, PostgreSQL and Airflow; every pull and push once; the UI stays up
	$(BIN)/python -m demo up

stop:  ## stop what `make demo` started
	@if test -x $(BIN)/python; then $(BIN)/python -m demo stop; else echo "Nothing is installed, so nothing runs."; fi

browser:  ## the tests of the pages need a chromium, which the package index does not have
	@for name in $${CHROMIUM:-chromium chromium-browser google-chrome}; do ! command -v $$name >/dev/null || exit 0; done; \
	if test -z "$$CHROMIUM" && test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive \
	    apt-get install --quiet=2 --yes --no-install-recommends chromium; \
	else echo "No chromium is here: sudo apt-get install chromium, or say where one is: make test CHROMIUM=/path/to/it"; \
	  exit 1; fi

# RUNLEVEL=1: the package is not to start a pooler of its own.
pooler:  ## the tests of connection poolers need pgbouncer, which the package index does not have
	@if PATH="$$PATH:/usr/sbin" command -v pgbouncer >/dev/null; then exit 0; fi; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  apt-get update --quiet=2 && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
	    apt-get install --quiet=2 --yes --no-install-recommends pgbouncer; \
	else echo "No pgbouncer is here: sudo apt-get install --no-install-recommends pgbouncer"; exit 1; fi

# RUNLEVEL=1: the package is not to start a Redis of its own.
cluster-tools:  ## the tests of the cluster need docker-compose and redis-server, which the package index does not have
	@missing=; for name in docker-compose redis-server; do command -v $$name >/dev/null || missing="$$missing $$name"; done; \
	test -z "$$missing" && exit 0; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  apt-get update --quiet=2 && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
	    apt-get install --quiet=2 --yes --no-install-recommends $$missing; \
	else echo "Missing:$$missing. sudo apt-get install --no-install-recommends$$missing"; exit 1; fi

# --keep-going: all of it runs, whatever fails; make fails at the end.
test: setup  ## every test but those of the cluster
	$(MAKE) --no-print-directory --jobs 2 --keep-going test-most test-stack

PYTEST = $(BIN)/python -m pytest --durations=25 --durations-min=1

test-most: pooler
	$(PYTEST) --numprocesses auto --dist worksteal -m "not stack and not cluster and not chart and not faults"

# Mostly it waits; two reports at once would be unreadable, so it keeps its own until it has ended.
test-stack: browser
	@$(PYTEST) tests/stack > .venv/test-stack.log 2>&1; code=$$?; cat .venv/test-stack.log; exit $$code

test-cluster: setup cluster-tools  ## every service of docker-compose.yaml as a plain process, the demo on it, and what dies
	$(PYTEST) -m cluster tests/cluster

CHART_VERSIONS ?= 1.19.0 1.22.0
CHARTS ?= $(CHART_VERSIONS:%=.venv/charts/airflow-%.tgz)
HELM := PYTHONPATH=.venv/helm $(BIN)/python

.venv/helm: tests/chart/requirements.txt | $(STAMP)
	$(TRUSTING) $(BIN)/uv pip install --quiet --python $(BIN)/python --target $@ --require-hashes -r $<
	@touch $@

.venv/charts/airflow-%.tgz: | .venv/helm
	@mkdir -p .venv/charts
	@$(HELM) -c 'import helm_python; helm_python.pull("airflow", repo_url="https://airflow.apache.org", version="$*", destination=".venv/charts")' \
	  || { echo "Airflow's chart $* cannot be had from here. Where it lies already, as a folder or .tgz: make chart CHARTS=/path/to/it"; exit 1; }

chart: setup .venv/helm $(CHARTS)  ## render deploy/values.yaml with Airflow's official chart, and look at every object (CHARTS: folders or .tgz)
	CHARTS="$(CHARTS)" $(HELM) -m pytest -m chart tests/chart

FAULT_MINUTES ?= 15

faults: setup cluster-tools  ## a quarter of an hour in which everything goes wrong on the cluster, then the proof (FAULT_SEED=7: the same steps at the same seconds; what they meet depends on the machine)
	PYTHONPATH=include:. $(BIN)/python -m tests.faults --minutes $(FAULT_MINUTES) $(if $(FAULT_SEED),--seed $(FAULT_SEED))

histories: setup  ## a push killed at each of its moments, every kind of document through every trouble: ten minutes
	$(BIN)/python -m pytest --numprocesses 2 -m faults tests/faults/histories

mutants: setup  ## small changes to the modules where a slip costs most, of which each must fail a test: 40 minutes (MUTANTS=api/paging: one of them)
	PYTHONPATH=include:. nice -n 10 $(BIN)/python -m tests.mutants $(MUTANTS)

bench: setup  ## measure, beside what users would pick instead: an hour (BENCH=costs, or several names: those alone)
	PYTHONPATH=include:. $(TRUSTING) $(BIN)/python -m benchmarks $(BENCH)

ORGANISATIONS ?= 200

bench-scale: setup  ## a night of 200 organisations (ORGANISATIONS=20: a quick try): twenty minutes
	PYTHONPATH=include:. $(BIN)/python -m benchmarks.scale $(ORGANISATIONS) --write

lint: setup  ## style, format, types, the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=include $(BIN)/lint-imports --no-logo --no-cache

COMPILE = $(TRUSTING) $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --annotation-style line

lock: setup  ## compile requirements*.in; pins already there are kept (remove a line to renew it)
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt

audit: setup  ## is the lock what was asked for and installed, and is anything in it known to be weak
	$(BIN)/python .ci/audit.py
