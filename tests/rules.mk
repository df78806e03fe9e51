# The tests know the sample: a repository with a problem of its own has neither them nor these.
# One process more than there are cores, because tests also wait: for servers, containers, deadlines.
PROCESSES = $(shell $(PYTHON) -c "import os; print(os.cpu_count() + 1)")

.PHONY: test check

test: .venv/dev  ## run every test
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile

check: .venv/dev  ## lint, types, layers, rendered files, locks
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/tidegate render --check
	$(BIN)/python -m pytest --quiet tests/test_lock.py
