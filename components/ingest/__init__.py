"""Ingest: raw files in, one ordered Parquet table each, up to a moment; decides only that files can be read."""
