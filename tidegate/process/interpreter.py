"""This interpreter, as the program that runs our modules."""

import sys


def python(module: str, *words: str) -> list[str]:
    """The command that runs a module by this interpreter; files in the working directory cannot shadow it."""
    return [sys.executable, "-P", "-m", module, *words]
