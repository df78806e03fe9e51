"""Inspection: what a person asks before data is committed: check a file, draft a contract, compare two of them."""
