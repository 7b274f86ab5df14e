# `make serve` and `make test` do all the set-up themselves; a machine needs Python 3.11+, make and git.
# PORT, from the environment or as `make serve PORT=8080`, reaches the mock through its environment.
PYTHON ?= python3
BIN := .venv/bin

# Tests start many processes of Python: compiled modules are kept for the next, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: serve test test-all setup lint fix lock dist image bench bench-flat attack mutants corpus steady

serve: .venv/serve
	$(BIN)/mockserver serve $(ARGS)

# Processes that share the tests: two for each core, because tests wait for sockets and other processes.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) * 2 )))

# All tests but those marked slow; `make test-all` has these too.
test: .venv/dev
	$(BIN)/pytest -n $(WORKERS) -m "not slow" $(ARGS)

test-all: .venv/dev
	$(BIN)/pytest -n $(WORKERS) $(ARGS)

lint: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	! command -v npm >/dev/null || $(BIN)/pytest -q -n 0 tests/test_control_page.py -k error_of_types

fix: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

dist: .venv/dev
	$(BIN)/python -m build

image:
	docker build -t freddy-mock .

bench: .venv/dev
	$(BIN)/python -m bench $(ARGS)

bench-flat: .venv/dev
	$(BIN)/python -m bench.flat $(ARGS)

attack: .venv/dev
	$(BIN)/python -m bench.attack $(ARGS)

# SEEDS, how many runs of the contract suite a correct mock has to pass: each makes other requests up.
SEEDS ?= 20

steady: .venv/dev
	folder=$$(mktemp -d); \
	for seed in $$(seq 1 $(SEEDS)); do \
	  $(BIN)/contracts run --target mock --with-model 100 --seed $$seed --report-dir $$folder > $$folder/said \
	    || { cat $$folder/said; echo "seed $$seed"; exit 1; }; \
	  echo "seed $$seed: $$(tail -n 1 $$folder/said)"; \
	done

# Sequences of lock step, each of which notices an automatic mutant that no other does: 30 minutes at most.
corpus: .venv/dev
	$(BIN)/python -m tests.contracts.corpus $(ARGS)

mutants: .venv/dev
	$(BIN)/python -m tests.contracts.plain $(ARGS)
	$(BIN)/python -m tests.contracts.strength

setup: .venv/serve

# Exact versions with hashes, and nothing built from source: that would run tools of any version.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
EXACTLY ?= --only-binary :all: --require-hashes

.venv/serve: pyproject.toml requirements/build.txt requirements/serve.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing the libraries of the mock into .venv: a quarter of a minute." >&2
	$(INSTALL) $(EXACTLY) -r requirements/build.txt -r requirements/serve.txt
	$(INSTALL) --no-deps --no-build-isolation -e .
	touch $@

.venv/dev: .venv/serve requirements/dev.txt
	@echo "Installing the libraries of the tests into .venv: half a minute." >&2
	$(INSTALL) $(EXACTLY) -r requirements/dev.txt
	touch $@

# Versions that still fit stay as they are; ARGS='--upgrade-package flask' takes the newest of one library.
LOCK = .venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
  --custom-compile-command 'make lock' $(ARGS)

lock:
	$(PYTHON) -m venv .venv/lock && .venv/lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(LOCK) pyproject.toml --group dev -o requirements/dev.txt
	$(LOCK) pyproject.toml --extra redis -c requirements/dev.txt -o requirements/serve.txt
	$(LOCK) pyproject.toml --extra redis --extra contracts -c requirements/dev.txt -o requirements/contracts.txt
	.venv/lock/bin/python -c 'import tomllib; print("editables", *tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	  | $(LOCK) - -c requirements/dev.txt -o requirements/build.txt
