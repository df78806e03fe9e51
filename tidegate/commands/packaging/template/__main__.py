"""`python -m` of this package."""

from .predict import main

if __name__ == "__main__":
    main()
