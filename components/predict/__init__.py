"""Predict: what a registered version says of the rows of a file, events or features, whatever their number."""
