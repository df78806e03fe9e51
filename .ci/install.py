"""Runs pip, given as a command whose last word is a file of requirements, and shows how far it is.

On a terminal every package is shown as it is fetched, elsewhere every twentieth. If pip fails, so are its last lines.
"""

import re
import subprocess
import sys
from pathlib import Path

FETCHED = re.compile(r"\s+(?:Downloading|Using cached) ([^-\s]+)-\S+(?: \((.+?)\))?")
PINNED = re.compile(r"^[\w.-]+==", re.MULTILINE)
EVERY, LAST_LINES = 20, 20


def main(command: list[str]) -> None:
    """Run the command; exit with what pip said if it failed."""
    file, live = Path(command[-1]), sys.stdout.isatty()
    total, fetched, said = len(PINNED.findall(file.read_text(encoding="utf-8"))), 0, []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            said.append(line)
            text = ""
            if found := FETCHED.match(line):
                fetched += 1
                if live or fetched % EVERY == 0:
                    text = f"{file.name}: {fetched} of {total}, {found[1]} {found[2] or ''}"
            elif line.startswith("Installing collected packages"):
                text = f"{file.name}: unpacking {fetched} packages"
            if text:
                print(f"\r\033[K{text}" if live else text, end="" if live else "\n", flush=True)
    if live:
        print()
    if pip.returncode:
        sys.exit("".join(said[-LAST_LINES:]).rstrip())


if __name__ == "__main__":
    main(sys.argv[1:])
