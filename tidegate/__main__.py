"""`python -m tidegate` is `tidegate`."""

from tidegate.commands.cli import main

if __name__ == "__main__":
    main()
