"""Tables: DuckDB as every step uses it, Parquet, and features as SQL."""
