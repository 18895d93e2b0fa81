# Everything runs inside .venv, made from nothing: `make verify` and `make test` are the two commands.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# One thread per process: the work is spread over processes, and OpenMP barriers stall on shared machines.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: verify prove record prove-recorded test lint clean

verify: .venv/installed
	$(BIN)/drt verify --out results

prove: .venv/installed
	$(BIN)/drt prove

# What `drt verify` calls proved where no Coq is: checked by whoever has one, and written down.
record: .venv/installed
	$(BIN)/drt prove --record

prove-recorded: .venv/installed
	$(BIN)/drt prove --recorded

test: lint
	$(BIN)/python -m pytest

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

clean:
	rm -rf .venv results
