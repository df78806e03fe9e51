"""A private key in a PKCS#11 token, such as a hardware security module; it never leaves the token.

`pkcs11:token=LABEL;object=LABEL?module-path=FILE` (RFC 7512) names it, TIDEGATE_SIGNING_PIN unlocks it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote

from tidegate.process.errors import InputError
from tidegate.process.keys import KEY, PIN, Signer, text_of

FORM = "pkcs11:token=LABEL;object=LABEL?module-path=FILE"


class Place(NamedTuple):
    """Where a key is: the library of the token, and the labels of token and key."""

    module: str
    token: str
    label: str


def signer(uri: str, pin: str) -> Signer:
    """The key of a URI; InputError where the token or the key cannot be used."""
    place = parsed(uri)

    def sign(message: bytes) -> bytes:
        from pkcs11 import Mechanism, ObjectClass

        with _session(place, pin) as session:
            key = session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=place.label)
            return bytes(key.sign(message, mechanism=Mechanism.EDDSA))

    return Signer(_public(place, pin), sign)


def parsed(uri: str) -> Place:
    """The parts of a PKCS#11 URI; InputError for another text, which may hold a secret and is not shown."""
    path, _, query = uri.partition(":")[2].partition("?")
    pairs = [part.partition("=") for part in (*path.split(";"), *query.split("&"))]
    attributes = {key: unquote(value) for key, _, value in pairs}
    parts = [attributes.get(key, "") for key in ("module-path", "token", "object")]
    if not all(parts):
        raise InputError(KEY, FORM, "another text", "correct it")
    return Place(*parts)


def _public(place: Place, pin: str) -> str:
    from pkcs11 import Attribute, ObjectClass

    with _session(place, pin) as session:
        session.get_key(object_class=ObjectClass.PRIVATE_KEY, label=place.label)
        point = session.get_key(object_class=ObjectClass.PUBLIC_KEY, label=place.label)[Attribute.EC_POINT]
    return text_of(bytes(point)[-32:])  # some tokens store it within an octet string


@contextmanager
def _session(place: Place, pin: str) -> Iterator[Any]:
    thing = f"key {place.label} of token {place.token}"
    try:
        import pkcs11
    except ImportError:
        raise InputError(thing, "the package python-pkcs11", "none", "install tidegate[hsm]") from None
    try:
        token = pkcs11.lib(place.module).get_token(token_label=place.token)
        with token.open(user_pin=pin or None) as session:
            yield session
    except (pkcs11.PKCS11Error, RuntimeError) as error:
        found = type(error).__name__
        raise InputError(thing, f"a token with this Ed25519 key, and its PIN in {PIN}", found, "correct it") from None
