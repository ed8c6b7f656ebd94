# Thin layers over plain commands, which CONTRIBUTING.md shows too. They run in the active virtual environment;
# where none is active, in .venv, which is made here on first use. ARGS=… is handed on.
PYTHON ?= python3
VENV := $(abspath $(or $(VIRTUAL_ENV),.venv))
INSTALLED := $(VENV)/installed$(subst /,-,$(CURDIR))
export PATH := $(VENV)/bin:$(PATH)

.PHONY: book test execute explorables rules lint address clean

book: $(INSTALLED)
	jupyter-book build . -W -n --keep-going $(ARGS)
	@test -f _build/html/index.html || { echo "no _build/html/index.html was built: see above" >&2; exit 1; }
	@echo "The book: file://$(CURDIR)/_build/html/index.html"

test: $(INSTALLED)
	pytest --nbval $(ARGS)

execute: $(INSTALLED)
	python tools/execute.py $(ARGS)

explorables: $(INSTALLED)
	python tools/explorables.py $(ARGS)

rules: $(INSTALLED)
	python tools/rules.py $(ARGS)

lint: $(INSTALLED)
	ruff check .
	ruff format --check .
	numpydoc lint src/twice/*.py

address: $(INSTALLED)
	python tools/address.py $(ARGS)

clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis

# Renewed when a requirement changed, and tied to this folder: an environment may have served another clone.
$(INSTALLED): requirements.txt constraints.txt pyproject.toml | $(VENV)/bin/python
	pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c "import sys; v = sys.version_info; (3, 11) <= v < (3, 14) or sys.exit( \
	    f'The book needs Python 3.11, 3.12 or 3.13, this is {v[0]}.{v[1]}: make PYTHON=python3.12')"
	$(PYTHON) -m venv $(VENV)
