"""Evaluate: challenger, champion and baselines on the same labelled rows of the batch; the verdict says who serves."""
