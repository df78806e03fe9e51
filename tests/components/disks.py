"""Disks of a test's own: words that run a program where it may mount them."""

import os
import subprocess

import pytest

mounting = ("unshare", "--user", "--map-root-user", "--mount")


def need_mounting() -> None:
    """Skip the test on a machine where nobody may mount; in CI that is a failure."""
    try:
        trial = subprocess.run([*mounting, "true"], capture_output=True, text=True, check=False)
        reason = trial.stderr.strip()
    except FileNotFoundError:
        reason = "unshare is not there"
    if reason:
        absent = f"no disk of our own can be mounted: {reason}"
        pytest.fail(absent) if os.environ.get("CI") else pytest.skip(absent)
