"""Featurize: clean tables and features.sql in; features, labels and the batch out, each known when it had to be."""
