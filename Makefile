# Each target sets up all it needs: its own .venv from the hash-locked requirements.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN := .venv/bin
RUN := .venv/.installed
DEV := .venv/.installed-dev
DVC := .venv/.installed-dvc
TEST_WORKERS := 2
export UV_HTTP_TIMEOUT ?= 180
export UV_SYSTEM_CERTS ?= 1

.PHONY: help demo dvc test test-dvc test-slurm lint lock clean

help:
	@echo 'make demo   run the small configuration and show its tables (minutes, no GPU)'
	@echo 'make test   run the tests'
	@echo 'make dvc    install DVC into the same .venv, for `dvc repro` and `dvc pull`'
	@echo 'make test-dvc  test DVC and Snakemake together: repro, pull and restore, experiments'
	@echo 'make test-slurm  run the demo through a real SLURM, started for it (root, Debian; installs SLURM)'
	@echo 'make lint   check style, types and formats'
	@echo 'make lock   resolve requirements/*.in anew into the hash-locked *.txt'
	@echo 'make clean  remove .venv and the demo'"'"'s data and results'

demo: $(RUN)
	$(BIN)/snakemake --profile profiles/demo
	@echo; cat results/demo/tables/kid.md
	@echo; echo 'Tables, picture sheets, report:'; ls results/demo/tables/* results/demo/sheets/* results/demo/report/index.html

# One thread per worker: a test that oversubscribes two cores is slower, not faster.
test: $(DEV)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile --ignore tests/dvc

dvc: $(DVC)

test-dvc: $(DEV) $(DVC)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/dvc

# Not part of `make test`: it installs packages, and takes a machine of its own for some minutes.
test-slurm: $(DEV)
	$(BIN)/python -m tests.slurm.prove

lint: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow

LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
    --no-emit-index-url --no-header --no-annotate
lock: $(RUN)
	for set in bootstrap main dev dvc; do $(LOCK) requirements/$$set.in -o requirements/$$set.txt; done

clean:
	rm -rf .venv data/demo results/demo

# A pip that was told another index than the public one passes it on to uv, which does not read pip's settings.
# Compiled at once: where Python may not write its caches, every job would compile PyTorch anew.
INSTALL := if index=$$($(BIN)/python -m pip config get global.index-url 2>/dev/null) && [ -z "$${UV_DEFAULT_INDEX:-}" ]; \
    then export UV_DEFAULT_INDEX=$$index; fi; $(BIN)/uv pip install --compile-bytecode --python $(BIN)/python

$(BIN)/uv: requirements/bootstrap.txt
	@for python in python3.11 python3.12 python3; do \
	    if $$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null; then \
	        $$python -m venv .venv; \
	        $(BIN)/python -m pip install --require-hashes -r requirements/bootstrap.txt; \
	        touch $(BIN)/uv; exit; \
	    fi; \
	done; \
	echo 'error: no Python 3.11 or 3.12 found as python3.11, python3.12 or python3; install one and run make again.' >&2; \
	exit 2

$(RUN): $(BIN)/uv requirements/main.txt pyproject.toml
	$(INSTALL) --require-hashes -r requirements/main.txt
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): $(RUN) requirements/dev.txt
	$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

$(DVC): $(RUN) requirements/dvc.txt
	$(INSTALL) --require-hashes -r requirements/dvc.txt
	@touch $@
