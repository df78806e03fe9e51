"""Ingest: raw files in, one ordered Parquet table each, up to a moment in time; decides only that files can be read."""
