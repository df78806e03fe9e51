"""Ingest: reads raw files up to a moment into one ordered Parquet file per table; fails only on unreadable files."""
