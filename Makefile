# Thin layers over plain commands, which CONTRIBUTING.md shows too. They run in the active virtual environment;
# where none is active, in .venv, which is made here on first use. ARGS=… is handed on.
PYTHON ?= python3
# No path is a target or a prerequisite: make would split it at a space.
export VIRTUAL_ENV := $(or $(VIRTUAL_ENV),$(CURDIR)/.venv)
export PATH := $(VIRTUAL_ENV)/bin:$(PATH)

.PHONY: book pdf lighthouse test execute explorables practice rules lint address clean install

book: install
	jupyter-book build . -W -n --keep-going $(ARGS)
	@test -f _build/html/index.html || { echo "no _build/html/index.html was built: see above" >&2; exit 1; }
	@echo "The book: file://$(CURDIR)/_build/html/index.html"

pdf: book
	python tools/pdf.py

lighthouse: install
	python tools/lighthouse.py $(ARGS)

test: install
	pytest --nbval $(ARGS)

execute: install
	python tools/execute.py $(ARGS)

explorables: install
	python tools/explorables.py $(ARGS)

practice: install
	python tools/practice.py $(ARGS)

rules: install
	python tools/rules.py $(ARGS)

lint: install
	ruff check .
	ruff format --check .
	numpydoc lint src/twice/*.py src/twice/*/*.py

address: install
	python tools/address.py $(ARGS)

clean:
	rm -rf _build .pytest_cache .ruff_cache .hypothesis

# Renewed when a requirement changed, and tied to this folder: an environment may have served another clone.
install:
	@test -x "$$VIRTUAL_ENV/bin/python" || { $(PYTHON) -c "import sys; v = sys.version_info; (3, 11) <= v < (3, 14) or sys.exit( \
	    f'The book needs Python 3.11, 3.12 or 3.13, this is {v[0]}.{v[1]}: make PYTHON=python3.12')" \
	    && $(PYTHON) -m venv "$$VIRTUAL_ENV"; }
	@stamp="$$VIRTUAL_ENV/installed-$$(pwd | cksum | tr ' ' '-')"; \
	for file in requirements.txt constraints.txt pyproject.toml; do \
	    if [ ! "$$stamp" -nt "$$file" ]; then fresh=no; fi; \
	done; \
	if [ "$$fresh" = no ]; then \
	    pip install --quiet --disable-pip-version-check -r requirements.txt && touch "$$stamp"; \
	fi
