"""Featurize: runs features.sql over the clean tables; writes features, labels and the batch, without look-ahead."""
