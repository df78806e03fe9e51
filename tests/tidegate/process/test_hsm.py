"""A key in a PKCS#11 token signs, and never leaves it: SoftHSM, the software token of Debian."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tiers import lacking, needs
from tidegate.process import keys

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so")
PIN = "4711-0815"
# In a process of its own, because a process loads the library once.
MAKE = """
import sys
import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism
from pkcs11.util.ec import encode_named_curve_parameters

module, pin = sys.argv[1:]
with pkcs11.lib(module).get_token(token_label="tidegate").open(rw=True, user_pin=pin) as session:
    curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("1.3.101.112")}
    parameters = session.create_domain_parameters(KeyType.EC_EDWARDS, curve, local=True)
    parameters.generate_keypair(mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, store=True, label="champion")
"""
SIGN = """
import base64, sys
from tidegate.process import keys
signer = keys.signer()
print(signer.public, base64.b64encode(signer.sign(b"a message")).decode())
"""


@pytest.fixture(scope="module")
def hsm_token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a process that signs with a key of a new token."""
    needs("hsm")
    module = next((path for path in MODULES if Path(path).exists()), None)
    if module is None:
        lacking("no softhsm2")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
    environment = {**os.environ, "SOFTHSM2_CONF": f"{folder}/softhsm2.conf", "PYTHONPATH": os.pathsep.join(sys.path)}
    init = ["softhsm2-util", "--init-token", "--free", "--label", "tidegate", "--pin", PIN, "--so-pin", PIN]
    subprocess.run(init, env=environment, check=True, capture_output=True)
    subprocess.run([sys.executable, "-c", MAKE, module, PIN], env=environment, check=True)
    uri = f"pkcs11:token=tidegate;object=champion?module-path={module}"
    yield {**environment, "TIDEGATE_SIGNING_KEY": uri, "TIDEGATE_SIGNING_PIN": PIN}


def run(environment: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, check=False)


def test_a_key_of_a_token_signs(hsm_token: dict[str, str]) -> None:
    import base64

    done = run(hsm_token, "-c", SIGN)
    public, signature = done.stdout.split()
    assert keys.verifies(public, base64.b64decode(signature), b"a message")
    assert run(hsm_token, "-c", SIGN).stdout == done.stdout
    assert run(hsm_token, "-m", "tidegate", "keys", "show").stdout.split() == [public]


WRONG = {
    "another pin": {"TIDEGATE_SIGNING_PIN": "hunter22"},
    "another key": {"TIDEGATE_SIGNING_KEY": "pkcs11:token=tidegate;object=gone?module-path=MODULE"},
    "another token": {"TIDEGATE_SIGNING_KEY": "pkcs11:token=gone;object=champion?module-path=MODULE"},
    "no library": {"TIDEGATE_SIGNING_KEY": "pkcs11:token=tidegate;object=champion?module-path=/gone.so"},
}


@pytest.mark.parametrize("case", WRONG)
def test_a_token_that_cannot_sign_is_one_line(hsm_token: dict[str, str], case: str) -> None:
    module = hsm_token["TIDEGATE_SIGNING_KEY"].rpartition("=")[2]
    given = {name: value.replace("MODULE", module) for name, value in WRONG[case].items()}
    done = run({**hsm_token, **given}, "-m", "tidegate", "keys", "show")
    assert done.returncode == 2 and done.stderr.startswith("error: key ") and done.stderr.count("\n") == 1
    assert "hunter22" not in done.stderr and PIN not in done.stderr
