"""Keys: which are trusted, where the one that signs comes from, and what is no key."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tidegate.process import keys
from tidegate.process.errors import InputError

private, public = keys.make()
_, other = keys.make()
elliptic = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def test_none_one_or_two_keys_are_trusted() -> None:
    assert keys.trusted("") == keys.trusted("  ") == ()
    assert keys.trusted(public) == (public,)
    assert keys.trusted(f" {public}\n{other}") == (public, other)


@pytest.mark.parametrize(
    "text",
    ["ed25519:", "ed25519:AAAA", public.removeprefix("ed25519:"), f"{public}x", "rsa:AA"],
    ids=["nothing", "too short", "without its kind", "too long", "another kind"],  # the keys are random
)
def test_what_is_no_public_key(text: str) -> None:
    with pytest.raises(InputError, match=r"deploy\.sign: expected public keys such as ed25519:BASE64, found"):
        keys.trusted(text)


def test_a_third_key_is_one_too_many() -> None:
    with pytest.raises(InputError, match="expected at most 2 public keys, found 3"):
        keys.trusted(f"{public} {other} {public}")


@pytest.mark.parametrize("by", ["environment", "file"])
def test_the_key_that_signs(by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key.pem").write_text(private)
    name, value = (keys.KEY, private) if by == "environment" else (keys.KEY_FILE, str(tmp_path / "key.pem"))
    monkeypatch.setenv(name, value)
    signer = keys.trusted_signer((other, public))
    signature = signer.sign(b"a message")
    assert signer.public == public and signer.sign(b"a message") == signature
    assert keys.verifies(public, signature, b"a message")
    assert not keys.verifies(public, signature, b"another message")
    assert not keys.verifies(other, signature, b"a message")
    with pytest.raises(InputError, match="signing key: expected one whose public key deploy"):
        keys.trusted_signer((other,))


def refused(monkeypatch: pytest.MonkeyPatch, **given: str) -> str:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError) as error:
        keys.signer()
    return str(error.value)


def test_what_cannot_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = "signing key: expected a private key in TIDEGATE_SIGNING_KEY, or its file in TIDEGATE_SIGNING_KEY_FILE"
    assert refused(monkeypatch).startswith(expected)
    assert "No such file" in refused(monkeypatch, TIDEGATE_SIGNING_KEY_FILE=str(tmp_path / "none"))
    assert "expected an Ed25519 key, found a key of another" in refused(monkeypatch, TIDEGATE_SIGNING_KEY=elliptic)
    line = refused(monkeypatch, TIDEGATE_SIGNING_KEY="hunter22")
    assert "expected an Ed25519 key as PEM" in line and "hunter22" not in line
    assert "pkcs11:token=LABEL" in refused(monkeypatch, TIDEGATE_SIGNING_KEY="pkcs11:token=x?pin-value=hunter22")


def tidegate(folder: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tidegate", *words]
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment}
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)


def test_a_new_key_is_its_owners_and_is_never_overwritten(tmp_path: Path) -> None:
    made = tidegate(tmp_path, "keys", "make", "key.pem")
    assert keys.trusted(made.stdout) == (made.stdout.strip(),)
    path = tmp_path / "key.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shown = tidegate(tmp_path, "keys", "show", TIDEGATE_SIGNING_KEY_FILE="key.pem")
    assert shown.stdout == made.stdout
    before = path.read_bytes()
    again = tidegate(tmp_path, "keys", "make", "key.pem")
    assert (again.returncode, path.read_bytes()) == (2, before)
    assert again.stderr.startswith("error: key.pem: expected no file, because a key is never overwritten")
