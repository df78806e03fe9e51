"""`make audit`: known vulnerabilities of the locked packages; skipped, with the reason, without its database."""

import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
DATABASE = "https://api.osv.dev"
TOOL = "pip-audit==2.10.1"  # in an environment of its own, because it needs another pip than the project
LOCK = "requirements-dev.txt"  # it has every package of the other locks
SECONDS = 10


def unreachable() -> str | None:
    """Why the advisory database cannot be asked, None if it answers."""
    try:
        with urllib.request.urlopen(DATABASE, timeout=SECONDS):
            return None
    except urllib.error.HTTPError:  # an answer, of whatever kind
        return None
    except OSError as error:
        return " ".join(str(error).split())


def main() -> None:
    """Exit 1 if a locked package has a known vulnerability."""
    if reason := unreachable():
        print(f"skipped: pip-audit, because {DATABASE} cannot be reached ({reason})")
        return
    tool = [sys.executable, "-m", "uv", "tool", "run", "--quiet", "--from", TOOL, "pip-audit"]
    flags = ["--vulnerability-service", "osv", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    sys.exit(subprocess.run([*tool, *flags, "--requirement", str(ROOT / LOCK)], check=False).returncode)


if __name__ == "__main__":
    main()
