# Everything runs from .venv, which is built when a requirements file is newer than it.
#   PYTHON=...  the Python to build it with (3.11 to 3.13); one that .venv was not built with builds it anew
#   JOBS=       tests at once
#   OPTIMISE=   0 compiles in two thirds of the time what runs slower and answers the same
#   UV=         (empty) builds it with venv and pip even where uv is installed

VENV    := .venv
BIN     := $(VENV)/bin
PYTHON  ?=
PYTHONS := 3.11 3.12 3.13
UV      = $(shell uv --version >/dev/null 2>&1 && echo uv)

# Tests start the program hundreds of times. Where a machine keeps no compiled modules, each start compiles all of them.
export PYTHONDONTWRITEBYTECODE :=

# setup.py of durable-rules overwrites CFLAGS and so compiles without any -O; CC is the way in.
# -fno-strict-aliasing because its C code reads one memory as several types. It calls PyEval_CallObject, which
# Python 3.13 no longer has; PyObject_CallObject does the same, and in 3.11 and 3.12 their own definition stands.
DURABLE_RULES_CC := gcc -O2 -fno-strict-aliasing -DPyEval_CallObject=PyObject_CallObject

INSTALL = $(if $(UV),uv pip install --quiet --python $(BIN)/python,\
	$(BIN)/python -m pip install --quiet --disable-pip-version-check)
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header

# What users run: the package with its modules for each claim compiled (setup.py). Sources are run as they are by
# everything else, because what is compiled does not know that its source was edited.
COMPILED := $(VENV)/compiled
OPTIMISE := 2
SOURCES  := $(shell find scrubber -type f ! -name '*.pyc')
TESTS_OF_EACH_CLAIM = $(wildcard $(addprefix tests/,api claim engine facts findings pricing relations response \
	batch/test_local_file.py rulebook/test_shipped_rules.py test_compiled.py test_promises.py test_replay.py))

# One more at once than there are processors, as many of them wait; worksteal gives what is left to who has nothing.
PYTEST   = -m pytest -n $(JOBS) --dist worksteal
JOBS    := $(shell expr $$(nproc) + 1)
OUTCOMES := $(VENV)/outcomes

# The clock of all that the tests start, servers too, but not that of the machine. MENDS is for what Debian's library
# leaves out. The time zone is written out: a name would be UTC where no zones are installed.
MENDS := $(VENV)/another_day.so
ANOTHER_DAY = LD_PRELOAD="$(abspath $(MENDS)) $(firstword $(wildcard /usr/lib/*/faketime/libfaketimeMT.so.1) \
	libfaketime-is-not-installed)" FAKETIME=+400d FAKETIME_DONT_FAKE_MONOTONIC=1 TZ='<+14>-14'

# Long tests, whose clocks shorter ones try as well: `make proofs` runs them on another day, too.
LONG_TESTS = $(addprefix tests/,api/test_canary.py api/test_generated_clients.py batch/test_chaos.py batch/test_local_file.py \
	batch/test_service_workers.py batch/test_worker_pool.py cli/rules/test_new.py cli/test_batch.py \
	server/test_connections.py server/test_gunicorn.py server/test_rollback.py test_benchmark_batch.py \
	test_cheap_changes.py test_deploy.py test_docs.py test_docs_batches.py test_migrations.py test_recorded.py test_tutorial.py test_varied_claims.py)

# Tests of what is given every day that it goes by, and of brokers, reloads, replays and back-tests, whose clocks are those
# that the tests of batches, workers, the service and the command line try as well. `make proofs` tries them, too, but for
# the engine and processes, whose tests fork beside busy threads: the lock of libfaketime that one holds is never free in
# the child.
TESTS_WITHOUT_CLOCK = $(addprefix tests/,authoring/% backtest/% batch/test_celery.py claim/% code_lookup/% engine/% explain/% \
	facts/% findings/% pricing/% reference/% relations/% response/% rulebook/% sentences/% server/test_reload.py test_architecture.py \
	test_article_examples.py test_compiled.py test_dated_rows.py test_likeness.py test_make.py test_names.py test_processes.py test_promises.py test_remembered.py test_replay.py \
	test_same_outcomes.py)
TESTS_OF_THE_CLOCK = $(filter-out $(TESTS_WITHOUT_CLOCK) $(LONG_TESTS),$(shell find tests -name 'test_*.py'))

FUZZ_SECONDS ?= 60

CREATED := $(VENV)/.created
RUNTIME := $(VENV)/.runtime
PROJECT := $(VENV)/.project
DEV     := $(VENV)/.dev

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: another-day other-tests same-outcomes proofs
.PHONY: help demo test serve check compiled format lint types imports licences rules bench coverage matrix lock clean FORCE

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(PROJECT) ## scrub the claims in examples/
	@$(BIN)/scrubber scrub examples/*.json

test: $(DEV) ## run the tests
	@$(BIN)/python $(PYTEST) --junitxml=$(OUTCOMES)/today.xml

other-tests: $(DEV) ## run the tests that `make compiled` does not run
	@$(BIN)/python $(PYTEST) --junitxml=$(OUTCOMES)/today.xml $(addprefix --ignore=,$(TESTS_OF_EACH_CLAIM))

another-day: $(DEV) $(MENDS) ## run the tests of what may read a clock 400 days ahead, in another time zone (needs libfaketime)
	@[ "$$($(ANOTHER_DAY) date +%s 2>/dev/null)" -gt "$$(($$(date +%s) + 399 * 86400))" ] \
		|| { echo "The clock cannot be put ahead: apt-get install libfaketime" >&2; exit 1; }
	@$(ANOTHER_DAY) $(BIN)/python $(PYTEST) --junitxml=$(OUTCOMES)/another-day.xml $(TESTS_OF_THE_CLOCK)

same-outcomes: $(DEV) ## whether each test ended on another day as it does today: after another-day, compiled and other-tests
	@$(BIN)/python -m tests.support.same_outcomes $(OUTCOMES)/another-day.xml $(OUTCOMES)/compiled.xml $(OUTCOMES)/today.xml

# One at a time: each may take all that the machine has. Properties are tried on ten times as many examples.
proofs: $(DEV) $(COMPILED) ## prove at full size what the tests try: chaos, soak, whole tables, random rules and claims; every Python
	@$(BIN)/python -m pytest -m proof
	@$(BIN)/python $(PYTEST) -m hypothesis --hypothesis-profile=proof
	@$(MAKE) --no-print-directory another-day TESTS_WITHOUT_CLOCK="tests/engine/%" LONG_TESTS=
	@$(MAKE) --no-print-directory matrix

# atheris is not in the lock: few need it, and some systems have no wheel of it.
fuzz: $(DEV) ## damage X12 files and read them, FUZZ_SECONDS (60) long; installs atheris
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(INSTALL) 'atheris>=3.0,<4'
	@$(BIN)/python -m tests.fuzz.x12 -max_total_time=$(FUZZ_SECONDS)

serve: $(COMPILED) ## serve the API on SCRUBBER_BIND (127.0.0.1:8080)
	@PYTHONPATH=$(abspath $(COMPILED)) $(BIN)/scrubber serve

# pytest last: its closing line is what a reader of the log looks for.
check: lint types imports licences rules compiled test ## format, lint, types, imports, licences, rules and tests

# Appended, so that the tests find the compiled package before the source beside them.
compiled: $(COMPILED) $(DEV) ## compile what works on each claim, and run the tests of that against it
	@PYTHONPATH=$(abspath $(COMPILED)):$(CURDIR) $(BIN)/python -P $(PYTEST) --import-mode=append \
		--junitxml=$(OUTCOMES)/compiled.xml $(TESTS_OF_EACH_CLAIM)

format: $(DEV) ## rewrite the code in the project's format
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

lint: $(DEV) ## check format and lint
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(DEV) ## check types
	@$(BIN)/mypy

imports: $(DEV) ## check the import contracts
	@$(BIN)/lint-imports --no-logo

rules: $(PROJECT) ## lint the rules and run their tests
	@$(BIN)/scrubber rules lint
	@$(BIN)/scrubber rules test

licences: $(DEV) ## list the licences of all dependencies, and fail at one that pyproject.toml does not allow
	@$(BIN)/pip-licenses

bench: $(COMPILED) ## run the benchmarks over the compiled package
	@for benchmark in benchmarks/*.py; do \
		PYTHONPATH=$(abspath $(COMPILED)) $(BIN)/python "$$benchmark" || exit 1; done

# Each has an environment of its own below .matrix, so that .venv stays as it is. PYENV_VERSION is for pyenv, whose
# launchers on PATH start only the versions that it is set to.
matrix: ## run the tests, and those of the compiled package, on every Python supported (PYTHONS="3.12 3.13": on these)
	@passed= failed= missing=; \
	for version in $(PYTHONS); do \
		python=$$(PYENV_VERSION=$$version python$$version -c 'import sys; print(sys.executable)' 2>/dev/null) \
			|| { missing="$$missing $$version"; continue; }; \
		echo "Python $$version: $$python"; \
		$(MAKE) --no-print-directory VENV=.matrix/$$version PYTHON="$$python" compiled test \
			&& passed="$$passed $$version" || failed="$$failed $$version"; \
	done; \
	echo "Passed on Python:$${passed:- none}. Failed on:$${failed:- none}. Not run, because there is no pythonX.Y on PATH:$${missing:- none}."; \
	[ -z "$$failed$$missing" ]

coverage: $(DEV) ## run the tests and list the lines that none of them reaches
	@$(BIN)/coverage run -m pytest
	@$(BIN)/coverage report

lock: ## lock the requirements again (needs uv; UPGRADE=1 takes newer releases)
	$(LOCK) $(if $(UPGRADE),--upgrade) --group build --output-file requirements-build.txt
	$(LOCK) $(if $(UPGRADE),--upgrade) pyproject.toml --extra postgres --extra celery --output-file requirements.txt
	$(LOCK) $(if $(UPGRADE),--upgrade) pyproject.toml --extra postgres --extra celery --group dev --constraint requirements.txt \
		--output-file requirements-dev.txt
	@! grep -n '://' requirements-build.txt requirements.txt requirements-dev.txt

clean: ## remove the environment, caches and build artefacts
	rm -rf $(VENV) .matrix build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A python on PATH may be a launcher for a version that is not installed, so each one is run.
TRIED = $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11)
define FIND_PYTHON
for python in $(TRIED); do \
	[ "$$("$$python" -c 'import sys; print((3, 11) <= sys.version_info < (3, 14))' 2>/dev/null)" = True ] \
		&& break; \
	python=; \
done; \
if [ -z "$$python" ]; then \
	echo "Python 3.11, 3.12 or 3.13 is needed. What was tried, and what it says:"; \
	for python in $(TRIED); do echo "  $$python: $$("$$python" --version 2>&1 | head -n 1)"; done; \
	echo "Name one with make PYTHON=/path/to/python3.13"; \
	exit 1; \
fi >&2
endef

# Says something where .venv is to be made: there is none, its Python has gone or became another version, or another
# Python than its own is named.
WHICH_PYTHON := -c 'import sys; print("%d.%d" % sys.version_info[:2], sys.base_prefix)' 2>/dev/null
STALE = $(shell has=$$($(BIN)/python $(WHICH_PYTHON)) && [ -e $(CREATED) ] && [ -d $(VENV)/lib/python$${has%% *} ] && \
	[ "$$has" = "$$("$(or $(PYTHON),$(BIN)/python)" $(WHICH_PYTHON))" ] || echo stale)

# Creation has its own stamp: a venv that failed half-way (no ensurepip, say) still has a python.
$(CREATED): $(if $(STALE),FORCE)
	@$(FIND_PYTHON); \
	echo "Creating $(VENV) with $$("$$python" --version) and $(or $(UV),venv and pip)"; \
	$(if $(UV),uv venv --quiet --clear --no-python-downloads --python "$$python" $(VENV),\
		"$$python" -m venv --clear $(VENV))
	@touch $@

# durable-rules is published as source only. A wheel of it in a cache may have been compiled with
# other flags, so it is built here, past the cache; the tools that build it come from the lock.
$(RUNTIME): requirements-build.txt requirements.txt $(CREATED)
	@$(INSTALL) --require-hashes -r requirements-build.txt
	@sed -n '/^durable-rules==/,/[^\\]$$/p' requirements.txt > $(VENV)/durable-rules.txt
	@echo "Building durable-rules"
	@CC="$(DURABLE_RULES_CC)" $(INSTALL) --require-hashes --no-deps --no-build-isolation \
		--no-binary durable-rules --no-cache-dir -r $(VENV)/durable-rules.txt \
		|| { echo "durable-rules is compiled here: it needs $(firstword $(DURABLE_RULES_CC)) and" \
			"the headers of libc and Python (Debian: gcc libc6-dev python3-dev)" >&2; exit 1; }
	@echo "Installing requirements.txt"
	@$(INSTALL) --require-hashes --no-build-isolation -r requirements.txt
	@touch $@

$(PROJECT): pyproject.toml $(RUNTIME)
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# build/ is emptied first: setuptools would pack modules that are no longer there.
$(COMPILED): setup.py pyproject.toml requirements-build.txt $(SOURCES) $(CREATED) | $(PROJECT)
	@rm -rf build $@
	@echo "Compiling what works on each claim; takes about a minute"
	@CLAIM_SCRUBBER_COMPILE=1 CLAIM_SCRUBBER_OPTIMISE=$(OPTIMISE) $(INSTALL) --no-deps --no-build-isolation --target $@.new .
	@mv $@.new $@
	@touch $@

$(MENDS): tests/support/another_day.c | $(CREATED)
	@gcc -shared -fPIC -O2 -Wall -o $@ $<

$(DEV): requirements-dev.txt $(RUNTIME) | $(PROJECT)
	@echo "Installing requirements-dev.txt"
	@$(INSTALL) --require-hashes --no-build-isolation -r requirements-dev.txt
	@touch $@
