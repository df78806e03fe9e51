# `make run` and `make test` do everything; the others are what they are made of.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --use-pep517
COMPILE := $(BIN)/uv pip compile --quiet --no-header --universal --python-version 3.11 --generate-hashes

.PHONY: help run lock clean

help:  ## show this
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8

run: .venv/run  ## set up, get the sample data, run one turn of the loop
	@$(BIN)/tidegate run

lock: .venv/dev  ## resolve the dependencies of pyproject.toml anew
	echo setuptools | $(COMPILE) - --output-file requirements-build.txt
	$(COMPILE) pyproject.toml --all-extras --output-file requirements-dev.txt
	$(COMPILE) pyproject.toml --extra pipelines --constraints requirements-dev.txt --output-file requirements.txt
	$(COMPILE) pyproject.toml --extra cluster --constraints requirements-dev.txt --output-file requirements-steps.txt

clean:  ## remove what `make` made; data/ and the tracking store stay
	rm -rf .venv artifacts

.venv/run: requirements-build.txt requirements.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] <= (3, 13) else \
	'python: expected 3.11 to 3.13, found %d.%d; name another one: make run PYTHON=python3.11' % sys.version_info[:2])"
	$(PYTHON) -m venv .venv
	$(INSTALL) --require-hashes --requirement requirements-build.txt
	$(INSTALL) --require-hashes --requirement requirements.txt
	$(INSTALL) --editable .
	@touch $@

.venv/dev: .venv/run requirements-dev.txt
	$(INSTALL) --require-hashes --requirement requirements-dev.txt
	@touch $@

-include tests/rules.mk
