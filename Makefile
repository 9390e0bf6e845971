# Each target sets itself up in .venv: uv where it is installed, else venv and pip.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
CORES ?= 2

.PHONY: demo test check bench fuzz table clean

demo: .venv/.ready
	$(BIN)/mri-sij demo

test: .venv/.dev
	$(BIN)/pytest -n $(CORES) --dist loadfile

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/.dev
	$(BIN)/pytest bench -p no:xdist --benchmark-enable --timeout=1800

# The full counts: 100,000 mutated headers and 10,000 mutated files (`make test` runs fewer).
fuzz: .venv/.dev
	MRI_SIJ_FUZZ_HEADERS=100000 MRI_SIJ_FUZZ_FILES=10000 $(BIN)/pytest tests/ingest/test_fuzz.py --timeout=7200

# docs/awkward_series.md again, from the series that the tests make and five readers.
table: .venv/.dev
	$(BIN)/python -m tests.ingest.awkward_table docs/awkward_series.md

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed."; exit 1; }
	@if command -v uv >/dev/null; then uv venv --python "$(PYTHON)" .venv; else "$(PYTHON)" -m venv .venv; fi

.venv/.ready: pyproject.toml constraints.txt | .venv/bin/python
	@if command -v uv >/dev/null; then uv pip install -q --python $(BIN)/python -e . -c constraints.txt; \
	else $(BIN)/python -m pip install -q --disable-pip-version-check -e . -c constraints.txt; fi
	@touch $@

.venv/.dev: pyproject.toml constraints.txt | .venv/bin/python
	@if command -v uv >/dev/null; then uv pip install -q --python $(BIN)/python -e '.[dev,dicom-out,cluster]' -c constraints.txt; \
	else $(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev,dicom-out,cluster]' -c constraints.txt; fi
	@touch $@ .venv/.ready
