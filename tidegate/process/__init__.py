"""What runs a step: its command line, its errors, signals, retries, and what comes by environment."""
