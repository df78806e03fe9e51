# The tests know the sample: a repository with a problem of its own has neither them nor these.
# A file is run by one process, because its tests share what its fixtures made: `loadgroup` of pytest-xdist 3.8 has no
# effect with pytest 9.2, which no longer reads the name that it writes.
# The files begin in the order that tests/tiers.py gives them, not with those that have the most tests.
# One process more than there are cores, because tests also wait: for servers, containers, deadlines.
PROCESSES = $(shell $(PYTHON) -c "import os; print(os.cpu_count() + 1)")
TESTS = $(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

.PHONY: test test-all test-long check audit

test: .venv/dev  ## run the tests that need Python alone
	$(TESTS) -m "not more"

test-all: test  ## and those that need containers, a browser, Postgres, Go tools or random kills
	$(TESTS) -m more

test-long: .venv/dev  ## ten thousand examples, a hundred kills; writes docs/reliability.md
	TIDEGATE_LONG=1 $(TESTS) -m long

check: .venv/dev audit  ## lint, types, layers, rendered files, locks, secrets, advisories
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/tidegate render --check
	$(BIN)/python -m pytest --quiet tests/test_lock.py tests/test_secrets.py

audit: .venv/dev  ## the locks against the advisory database, where it can be reached
	$(BIN)/python tests/audit.py
