# The tests know the sample: a repository with a problem of its own has neither them nor these.
.PHONY: test check

test: .venv/dev  ## run every test
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: .venv/dev  ## lint, types, layers, rendered files, locks
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/tidegate render --check
	$(BIN)/python -m pytest --quiet tests/test_lock.py
