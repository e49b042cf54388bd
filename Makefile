# The workshop. Every target makes what it needs; nothing wants root, nothing is installed outside this folder.

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: help demo test soak check chaos bench bench-micro compiled test-compiled clean
.DEFAULT_GOAL := help

help:
	@echo "make demo     see l4d work: three TCP and three UDP servers, and l4d in front of them"
	@echo "make test     run the tests; make test ARGS='-k reload' runs some of them"
	@echo "make soak     the tests that take long: more sessions, more reloads"
	@echo "make check    style, layers, types, and that the pure modules are covered by their own tests"
	@echo "make chaos    reload, upgrade, kill and stop a running l4d at random; make chaos ARGS='--minutes 5 --seed 7'"
	@echo "make bench    l4d beside nginx and HAProxy; make bench ARGS='--only bulk --rounds 3' (ARGS=--help: what there is)"
	@echo "make bench-micro  the small things alone: a turn of the loop, choosing a server, finding a flow"
	@echo "make compiled build/compiled: this folder with the data path compiled by mypyc; make bench then measures it too"
	@echo "make test-compiled  the tests of the running program, with that"
	@echo "make clean    remove what was made here"
	@echo
	@echo "PYTHON=python3.12 chooses the interpreter, after a make clean if there was another one."

demo: $(VENV)/for-demo
	@$(BIN)/l4d demo $(ARGS)

# Most tests wait for something most of the time, so three at a time take a third of it. JOBS=0: one after the other.
JOBS ?= 3

test: $(VENV)/for-test
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(ARGS)

soak: $(VENV)/for-test
	@$(BIN)/python -m pytest -m soak $(ARGS)

check: $(VENV)/for-check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/lint-imports >$(VENV)/layers || { cat $(VENV)/layers; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/python -m tests.pure_coverage

# As root it reads l4d's counters too. PostgreSQL and pgbench must be there: docs/chaos.md.
chaos: $(VENV)/for-test
	@$(BIN)/python -m tests.chaos $(ARGS)

# As root it measures across network namespaces too. nginx, haproxy, iperf3, wrk and the others: docs/performance.md.
bench: $(VENV)/for-demo
	@$(BIN)/python -m bench $(ARGS)

bench-micro: $(VENV)/for-bench
	@$(BIN)/python -m pytest tests/micro -o python_files='micro_*.py' --benchmark-columns=median,iqr,rounds \
	    --benchmark-group-by=func $(ARGS)

# The same source with the data path compiled, in a copy of its own. Wants a C compiler and Python's headers.
COMPILED := build/compiled

compiled: $(VENV)/for-compile
	@rm -rf $(COMPILED) && mkdir -p $(COMPILED)
	@cp -r l4d tests bench conf docs packaging Makefile setup.py pyproject.toml README.md $(COMPILED)/
	@cd $(COMPILED) && L4D_COMPILE=1 $(abspath $(BIN))/python setup.py --quiet build_ext --inplace >compile.log 2>&1 \
	    || { cat compile.log; exit 1; }
	@cd $(COMPILED) && PYTHONPATH=. $(abspath $(BIN))/python -m l4d -V | grep 'compiled with mypyc'

test-compiled: compiled $(VENV)/for-test
	@cd $(COMPILED) && $(abspath $(BIN))/python -m pytest tests/integration $(ARGS)

clean:
	@rm -rf $(VENV) build dist *.egg-info .coverage* .mypy_cache .ruff_cache .import_linter_cache .hypothesis .pytest_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# What is installed follows pyproject.toml: changed there, installed again here.

$(VENV)/bin/python:
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/for-demo: pyproject.toml | $(VENV)/bin/python
	@$(PIP) install -e .
	@touch $@

$(VENV)/for-test: pyproject.toml | $(VENV)/bin/python
	@echo "installing what the tests need into $(VENV)"
	@$(PIP) install -e '.[test]'
	@touch $@

$(VENV)/for-check: pyproject.toml | $(VENV)/bin/python
	@echo "installing what the checks need into $(VENV)"
	@$(PIP) install -e '.[check,test]'
	@touch $@

$(VENV)/for-compile: pyproject.toml | $(VENV)/bin/python
	@echo "installing what compiling needs into $(VENV)"
	@$(PIP) install -e '.[compile]'
	@touch $@

$(VENV)/for-bench: pyproject.toml | $(VENV)/bin/python
	@$(PIP) install -e '.[bench,test]'
	@touch $@
