"""No file of the repository holds a secret: a private key, a token of a known form, or a random password."""

import math
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORMS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "an access key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of GitHub": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,})\b",
    "a token of GitLab": r"\bglpat-[\w-]{20,}",
    "a token of Slack": r"\bxox[abeprs]-[\w-]{10,}",
    "a token of PyPI": r"\bpypi-AgE[\w-]{50,}",
    "a key of Google": r"\bAIza[\w-]{35}\b",
    "a web token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "a key of an API": r"\bsk-[A-Za-z0-9_-]{24,}\b",
}
# A name that tells of a secret, and a literal that looks random.
NAMED = re.compile(
    r"(?i)(?:password|passwd|secret|token|api_?key|access_?key|account_?key)\w*['\"]?\s*[:=]\s*['\"]?([\w+/=-]{20,})"
)
RANDOM_BITS = 3.8  # per letter; words have less
FINGERPRINTS = ("requirements", "dvc.lock", "tidegate/requirements")  # lines of digests


def secrets(text: str) -> Iterator[str]:
    """What a text has that looks like a secret, in words."""
    for name, form in FORMS.items():
        if re.search(form, text):
            yield name
    for match in NAMED.finditer(text):
        if re.search(r"\d", match[1]) and re.search("[A-Za-z]", match[1]) and entropy(match[1]) > RANDOM_BITS:
            yield f"a random text under the name of a secret: {match[1][:4]}..."


def entropy(text: str) -> float:
    """The entropy of the letters of a text, in bits per letter."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def test_no_file_has_a_secret() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [name for name in listed.split("\0") if name and not name.startswith(FINGERPRINTS)]
    assert len(paths) > 300
    found = {}
    for name in paths:
        path = ROOT / name
        if path.is_file() and (told := list(secrets(path.read_text(encoding="utf-8", errors="replace")))):
            found[name] = told
    assert not found


EXAMPLES = [  # in parts, so that this file has none
    "-----BEGIN " + "EC PRIVATE KEY-----",
    "AKIA" + "QWERTYUIOPASDFGH",
    "token: ghp_" + "a1B2" * 9,
    "xoxb-" + "12345678901",
    "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + "c2lnbmF0dXJlMTIz",
    "MLFLOW_TRACKING_PASSWORD=" + "q8Zr4LmX0vTb2KcW9sYd",
    "secret_access_key: '" + "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY1'",
]


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_a_secret_is_found(number: int) -> None:
    assert list(secrets(f"x\n{EXAMPLES[number]}\ny"))


def test_what_is_no_secret() -> None:
    text = "password: str = secret(name)\ntoken = environment_variable_of_the_source\nKFP_EXISTING_TOKEN=$TOKEN"
    assert not list(secrets(text))
