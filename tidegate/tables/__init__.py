"""Tables: the DuckDB connection of the steps, Parquet, and the SQL of the features."""
