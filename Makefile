# `make run` and `make test` do all the set-up that they need on a Debian with python3.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: run test check bench screenshots clean

run: $(VENV)/installed
	@if [ -t 0 ] && [ -t 1 ]; then exec $(BIN)/nettui; else exec $(BIN)/nettui report; fi

test: $(VENV)/developed
	@sh tests/packages.sh
	@$(MAKE) --no-print-directory check

check: $(VENV)/developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

bench: $(VENV)/developed
	@sh tests/packages.sh
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.capture
	$(BIN)/python -m tests.bench.packets

screenshots: $(VENV)/developed
	$(BIN)/python -m tests.screenshots

$(VENV)/bin/pip:
	@$(PYTHON) -m venv $(VENV) || { \
	  [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq python3-venv && $(PYTHON) -m venv $(VENV); } || { \
	  echo "make: python3 has no venv module: install python3-venv" >&2; exit 1; }

$(VENV)/installed: pyproject.toml $(VENV)/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/developed: pyproject.toml $(VENV)/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(VENV)/installed $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache
