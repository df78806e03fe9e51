"""Predicts events by a model of Tidegate: see README.md."""
