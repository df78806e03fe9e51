"""Packaging: a version's features, model and prediction as a Python package that needs no Tidegate."""
