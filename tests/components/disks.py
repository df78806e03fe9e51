"""Disks of a test's own: words that run a program where it may mount them."""

import subprocess

from tests.tiers import lacking

mounting = ("unshare", "--user", "--map-root-user", "--mount")


def need_mounting() -> None:
    """Skip the test on a machine where nobody may mount; in CI that is a failure."""
    try:
        trial = subprocess.run([*mounting, "true"], capture_output=True, text=True, check=False)
        reason = trial.stderr.strip()
    except FileNotFoundError:
        reason = "unshare is not there"
    if reason:
        lacking(f"no disk of our own can be mounted: {reason}")
