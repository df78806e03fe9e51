# `make run` and `make test-all` do everything; the others are what they are made of.
PYTHON ?= python3
BIN := .venv/bin
OVERLAY ?= local
INSTALL := $(BIN)/pip install --disable-pip-version-check --no-deps --no-build-isolation --use-pep517
FETCH := $(BIN)/python .ci/install.py $(INSTALL) --require-hashes --requirement
# `make images BASE_IMAGE=...` builds them on another base, PIP_INDEX_URL=... from another index.
IMAGE ?= tidegate/steps:latest
SERVER_IMAGE ?= tidegate/serve:latest
# The same arguments for both images: without BuildKit, the second build repeats the steps of the first from the cache.
BUILD = --file components/Dockerfile --build-arg BASE_IMAGE --build-arg PIP_INDEX_URL \
	--build-arg COMMIT=$$(git describe --always --dirty --abbrev=40 --exclude='*' || echo unknown) \
	--build-arg LOCK=$(call digest,requirements-steps.txt) --build-arg SERVE_LOCK=$(call digest,requirements-serve.txt)
digest = $$($(PYTHON) -c "import hashlib, pathlib; print(hashlib.sha256(pathlib.Path('$(1)').read_bytes()).hexdigest())")
COMPILE := $(BIN)/uv pip compile --quiet --no-header --universal --python-version 3.11 --generate-hashes

.PHONY: help run images image server-image wheel pipeline secrets lock clean

help:  ## show this
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: .venv/run  ## set up, get the sample data, run one turn of the loop
	@$(BIN)/tidegate run

images:  ## build the images: of the steps, and of the server
	docker build --target steps --tag $(IMAGE) $(BUILD) $(FLAGS) .
	docker build --target serve --tag $(SERVER_IMAGE) $(BUILD) $(FLAGS) .

image: .venv/run  ## the name of this code's image, as runs on a cluster use it
	@$(BIN)/python -c "from tidegate.pipelines import cluster, kubeflow; print(kubeflow.image_of(cluster.load()))"

server-image: .venv/run  ## the name of the image of this code's server
	@$(BIN)/python -c "from tidegate.pipelines import cluster, kubeflow; print(kubeflow.server_image_of(cluster.load()))"

wheel: .venv/run  ## build the wheel: dist/tidegate-*.whl
	rm -rf build dist
	SOURCE_DATE_EPOCH=315532800 $(BIN)/pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		--wheel-dir dist .

pipeline: .venv/run  ## compile the pipeline: build/training.yaml
	mkdir -p build
	$(BIN)/tidegate compile --output build/training.yaml

secrets: .venv/run  ## make up the passwords of a cluster: k8s/secrets.json (OVERLAY=production: takes what is given)
	$(BIN)/python -m k8s.passwords $(OVERLAY)

lock: .venv/dev  ## resolve the dependencies of pyproject.toml anew
	echo setuptools | $(COMPILE) - --output-file requirements-build.txt
	$(COMPILE) pyproject.toml --all-extras --output-file requirements-dev.txt
	$(COMPILE) pyproject.toml --extra kubeflow --extra sample --extra serve \
		--constraints requirements-dev.txt --output-file requirements.txt
	$(COMPILE) pyproject.toml --extra server --constraints requirements-dev.txt --output-file requirements-steps.txt
	$(COMPILE) --group pyproject.toml:serving --constraints requirements-dev.txt --output-file requirements-serve.txt

clean:  ## remove what `make` made; data/ and the tracking store stay
	rm -rf .venv artifacts build dist

.venv/run: requirements-build.txt requirements.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] <= (3, 13) else \
	'python: expected 3.11 to 3.13, found %d.%d; name another one: make run PYTHON=python3.11' % sys.version_info[:2])"
	$(PYTHON) -m venv .venv
	@$(FETCH) requirements-build.txt
	@$(FETCH) requirements.txt
	$(INSTALL) --quiet --editable .
	@touch $@

.venv/dev: .venv/run requirements-dev.txt
	@$(FETCH) requirements-dev.txt
	@touch $@

-include tests/rules.mk
