# A fresh machine needs Python 3.11 to 3.13, make and git; everything else comes from the package index.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
# Prefix of each command that downloads: makes it trust the system's certificates, as needed behind a proxy or mirror.
TRUSTING := $(BIN)/python .ci/certificates.py

# Without .pyc files every start of Airflow compiles thousands of modules, which takes 8 s instead of 2.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup browser pooler cluster-tools demo stop test test-most test-stack test-cluster chart faults histories mutants bench bench-scale lint lock audit
.DEFAULT_GOAL := setup

setup: $(STAMP)  ## install everything into .venv
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

demo: setup  ## start the sandbox, PostgreSQL and Airflow, run every pull and push once, and leave the UI running
	$(BIN)/python -m demo up

stop:  ## stop what `make demo` started
	@if test -x $(BIN)/python; then $(BIN)/python -m demo stop; else echo "Nothing is installed, so nothing is running."; fi

browser:  ## install Chromium, which the tests of the pages need
	@for name in $${CHROMIUM:-chromium chromium-browser google-chrome}; do ! command -v $$name >/dev/null || exit 0; done; \
	if test -z "$$CHROMIUM" && test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive \
	    apt-get install --quiet=2 --yes --no-install-recommends chromium; \
	else echo "Chromium was not found. Run sudo apt-get install chromium, or make test CHROMIUM=/path/to/it"; \
	  exit 1; fi

# RUNLEVEL=1 keeps the package from starting a pooler.
pooler:  ## install pgbouncer, which the tests of connection poolers need
	@if PATH="$$PATH:/usr/sbin" command -v pgbouncer >/dev/null; then exit 0; fi; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  apt-get update --quiet=2 && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
	    apt-get install --quiet=2 --yes --no-install-recommends pgbouncer; \
	else echo "pgbouncer was not found. Run sudo apt-get install --no-install-recommends pgbouncer"; exit 1; fi

# RUNLEVEL=1 keeps the package from starting Redis.
cluster-tools:  ## install docker-compose and redis-server, which the tests of the cluster need
	@missing=; for name in docker-compose redis-server; do command -v $$name >/dev/null || missing="$$missing $$name"; done; \
	test -z "$$missing" && exit 0; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  apt-get update --quiet=2 && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive \
	    apt-get install --quiet=2 --yes --no-install-recommends $$missing; \
	else echo "Not found:$$missing. Run sudo apt-get install --no-install-recommends$$missing"; exit 1; fi

# --keep-going: runs all tests even if some fail; make then fails at the end.
test: setup  ## run the tests, except those of the cluster, the chart and the faults
	$(MAKE) --no-print-directory --jobs 2 --keep-going test-most test-stack

PYTEST = $(BIN)/python -m pytest --durations=25 --durations-min=1

test-most: pooler
	$(PYTEST) --numprocesses auto --dist worksteal -m "not stack and not cluster and not chart and not faults"

# It mostly waits, so it runs beside test-most. Its report is printed at the end, to keep the two reports apart.
test-stack: browser
	@$(PYTEST) tests/stack > .venv/test-stack.log 2>&1; code=$$?; cat .venv/test-stack.log; exit $$code

test-cluster: setup cluster-tools  ## test the cluster: every service of docker-compose.yaml as a plain process, with the demo on it, and with crashes
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
	  || { echo "Airflow's chart $* cannot be downloaded. If you have it as a folder or .tgz, run make chart CHARTS=/path/to/it"; exit 1; }

chart: setup .venv/helm $(CHARTS)  ## render deploy/values.yaml with Airflow's official chart and check every object (CHARTS: folders or .tgz)
	CHARTS="$(CHARTS)" $(HELM) -m pytest -m chart tests/chart

FAULT_MINUTES ?= 15

faults: setup cluster-tools  ## inject faults into the cluster for 15 minutes, then check the result (FAULT_SEED=7: the same faults at the same seconds)
	PYTHONPATH=include:. $(BIN)/python -m tests.faults --minutes $(FAULT_MINUTES) $(if $(FAULT_SEED),--seed $(FAULT_SEED))

histories: setup  ## kill a push at each of its steps, and take every document type through every fault: 10 minutes
	$(BIN)/python -m pytest --numprocesses 2 -m faults tests/faults/histories

mutants: setup  ## mutation tests of the most critical modules: each change must fail a test; 40 minutes (MUTANTS=api/paging: one module)
	PYTHONPATH=include:. nice -n 10 $(BIN)/python -m tests.mutants $(MUTANTS)

bench: setup  ## measure this project and its alternatives: an hour (BENCH=costs: only this benchmark, or several names)
	PYTHONPATH=include:. $(TRUSTING) $(BIN)/python -m benchmarks $(BENCH)

ORGANISATIONS ?= 200

bench-scale: setup  ## measure a night of 200 organisations: 20 minutes (ORGANISATIONS=20: a quick test)
	PYTHONPATH=include:. $(BIN)/python -m benchmarks.scale $(ORGANISATIONS) --write

lint: setup  ## check style, format, types, the direction of imports, SQL in its files and decisions by data
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file .ci/names.ini -p benchmarks -p demo -p tests.faults
	PYTHONPATH=plugins:include $(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python -m pytest --quiet tests/pure/test_statements.py tests/pure/test_decisions.py tests/pure/test_house.py

COMPILE = $(TRUSTING) $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --annotation-style line

lock: setup  ## compile requirements*.in, keeping existing pins (remove a line to update it)
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -o requirements-dev.txt

audit: setup  ## check that the lock matches requirements*.in and the installation, and has no known vulnerabilities
	$(BIN)/python .ci/audit.py
