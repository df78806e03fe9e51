"""Collect: the rows that the sources have and the newest version of the data has not, as its next version."""
