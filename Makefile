# Every target sets up what it needs: a virtual environment in .venv, reused while current.
BIN := .venv/bin
# Tried by running it: a version manager's python3.12 may be there and refuse to start.
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON = $(shell for name in python3.12 python3.11 python3.13 python3; do \
	$$name -c '$(SUITABLE)' >/dev/null 2>&1 </dev/null && echo $$name && break; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: setup quickstart test test-all lint format docs benchmark clean

setup: .venv/.current

.venv/.current: requirements.txt pyproject.toml
	@$(BIN)/python -c '$(SUITABLE)' 2>/dev/null || { \
		test -n "$(PYTHON)" || { \
			echo "Python 3.11, 3.12 or 3.13 is needed. Install one, or name it:" \
				"make PYTHON=/path/to/python3.12" >&2; exit 1; }; \
		echo "Making .venv with $(PYTHON)"; $(PYTHON) -m venv --clear .venv; }
	@echo "Installing requirements into .venv (minutes, when it is new)"
	@$(PIP) install -r requirements.txt --editable .
	@touch $@

# QUICKSTART_FLAGS=--short shows that it runs, in a few epochs.
quickstart: setup
	$(BIN)/python -m recipes.quickstart $(QUICKSTART_FLAGS)

# PYTEST_FLAGS="tests/data -x" runs some of them. Four side by side at most: each worker
# holds TensorFlow, and some of the tests start processes of their own.
SIDE_BY_SIDE := --numprocesses=auto --maxprocesses=4 --dist=worksteal

# What a change is checked with: half an hour on two cores.
test: setup
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not slow" $(PYTEST_FLAGS)

# All: every family of backbones, every kill, more examples of each property.
test-all: setup
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest $(SIDE_BY_SIDE) $(PYTEST_FLAGS)

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The documentation's pages into site/; a link that leads nowhere is an error.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Peers (PyTorch, fastai, ekphrasis) are installed into .venv too; two hours.
benchmark: setup
	$(PIP) install --editable ".[bench]"
	$(BIN)/python -m benchmarks.all

clean:
	rm -rf .venv runs site build dist .hypothesis .pytest_cache .mypy_cache .ruff_cache *.egg-info
