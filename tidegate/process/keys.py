"""Ed25519 keys: the public ones that are trusted, and the private one that signs, from a file or the environment."""

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from tidegate.process.errors import InputError, display
from tidegate.process.redaction import secret

PREFIX = "ed25519:"
KEY, KEY_FILE, PIN = "TIDEGATE_SIGNING_KEY", "TIDEGATE_SIGNING_KEY_FILE", "TIDEGATE_SIGNING_PIN"
TOKEN = "pkcs11:"  # noqa: S105, the scheme of a URI
MOST = 2  # the present key, and the next or the last one while keys rotate
CURE = "`tidegate keys make FILE` makes a pair, `tidegate keys show` prints the public key"

Trusted = tuple[str, ...]


class Signer(NamedTuple):
    """A private key: its public key as text, and what signs a message by it."""

    public: str
    sign: Callable[[bytes], bytes]


def trusted(text: str) -> Trusted:
    """The public keys of `deploy.sign`, empty where nothing is signed; InputError for anything else."""
    keys = tuple(text.split())
    if len(keys) > MOST:
        raise InputError("deploy.sign", f"at most {MOST} public keys", str(len(keys)), "take out the oldest")
    for key in keys:
        if _bytes_of(key) is None:
            raise InputError("deploy.sign", f"public keys such as {PREFIX}BASE64", display(key), CURE)
    return keys


def verifies(public: str, signature: bytes, message: bytes) -> bool:
    """Whether the private key of `public` has signed the message."""
    content = _bytes_of(public)
    if content is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(content).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def text_of(public: bytes) -> str:
    """A public key of 32 bytes as text."""
    return PREFIX + base64.b64encode(public).decode()


def make() -> tuple[str, str]:
    """A new key: the private one as PEM, and the public one as text."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), _signer(key).public


def signer() -> Signer:
    """The private key that the environment names; InputError when there is none, or it cannot be used."""
    text = secret(KEY) or ""
    if text.startswith(TOKEN):
        from tidegate.process import hsm

        return hsm.signer(text, secret(PIN) or "")
    path = os.environ.get(KEY_FILE)
    if not text and not path:
        expected = f"a private key in {KEY}, or its file in {KEY_FILE}"
        raise InputError("signing key", expected, "none", CURE)
    try:
        key = load_pem_private_key((text or Path(str(path)).read_text(encoding="utf-8")).encode(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        found = error.strerror if isinstance(error, OSError) else "another text, or one with a password"
        raise InputError(KEY if text else f"{KEY_FILE}: {path}", "an Ed25519 key as PEM", str(found), CURE) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(KEY if text else KEY_FILE, "an Ed25519 key", "a key of another kind", CURE)
    return _signer(key)


def trusted_signer(keys: Trusted) -> Signer:
    """The private key that the environment names; InputError unless its public key is one of `keys`."""
    key = signer()
    if key.public not in keys:
        raise InputError("signing key", "one whose public key deploy.sign lists", key.public, "add it there")
    return key


def _signer(key: Ed25519PrivateKey) -> Signer:
    return Signer(text_of(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)), key.sign)


def _bytes_of(key: str) -> bytes | None:
    try:
        content = base64.b64decode(key.removeprefix(PREFIX), validate=True)
    except ValueError:
        return None
    return content if key.startswith(PREFIX) and len(content) == 32 else None
