"""The command line of Tidegate."""
