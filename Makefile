# All targets set up what they need: a virtual environment in .venv, reused while current.
PYTHON := $(shell command -v python3.12 || command -v python3.11 || command -v python3.13 || command -v python3)
BIN := .venv/bin

.PHONY: setup quickstart test lint format benchmark clean

setup: .venv/.current

.venv/.current: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -e .
	touch $@

# QUICKSTART_FLAGS=--short makes two epochs of it.
quickstart: setup
	$(BIN)/python -m recipes.quickstart $(QUICKSTART_FLAGS)

test: setup
	$(BIN)/python -m pytest

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmark: setup
	$(BIN)/python -m benchmarks.text_pipeline

clean:
	rm -rf .venv runs .pytest_cache .mypy_cache .ruff_cache
