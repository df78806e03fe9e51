"""The command line of Tidegate: what a person does with a problem."""
