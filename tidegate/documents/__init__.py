"""Documents that steps exchange: how they are read, written and checked."""
