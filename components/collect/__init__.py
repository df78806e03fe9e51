"""Collect: adds new rows of the sources to the newest version of the data, as its next version."""
