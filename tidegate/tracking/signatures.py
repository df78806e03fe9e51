"""Signatures of registered versions: who can write the registry cannot choose a champion's code or its verdict.

A signature is of the name, the number and the tags of a version. The tags hold the digests of model, record, SQL,
contract, reference sample, verdict and wheel, so that nothing can be exchanged between versions or problems.
"""

import base64
import json
from collections.abc import Mapping

from tidegate.process.errors import ModelError
from tidegate.process.keys import Signer, Trusted, verifies
from tidegate.tracking.tags import Tag

PURPOSE = "tidegate version 1"  # so that a signature of something else is none of a version
SIGNED = (
    *(Tag.FORMAT, Tag.BATCH, Tag.DATA, Tag.UNTIL, Tag.TRAINED_TO, Tag.COMMIT, Tag.MODEL, Tag.DIGEST, Tag.FILES),
    *(Tag.WHEEL, Tag.VERDICT, Tag.APPROVAL),
)


def statement(name: str, version: str, tags: Mapping[str, str]) -> bytes:
    """What is signed: canonical JSON."""
    signed = {key: tags[key] for key in SIGNED if key in tags}
    document = {"purpose": PURPOSE, "name": name, "version": version, "tags": signed}
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def signed(signer: Signer, name: str, version: str, tags: Mapping[str, str]) -> dict[str, str]:
    """The tag with the signature of a version with these tags; the same key gives the same one."""
    signature = base64.b64encode(signer.sign(statement(name, version, tags))).decode()
    return {Tag.SIGNATURE: f"{signer.public} {signature}"}


def check(name: str, version: str, tags: Mapping[str, str], trusted: Trusted) -> None:
    """ModelError unless a version is as one of the trusted keys has signed it; without any, nothing is checked."""
    if trusted and (found := _fault(name, version, tags, trusted)):
        cure = f"promote another version, or check it and run `tidegate keys sign {version}`"
        raise ModelError(f"{name} version {version}", "a signature by a key of deploy.sign", found, cure)


def holds(name: str, version: str, tags: Mapping[str, str], trusted: Trusted) -> bool:
    """Whether one of the trusted keys has signed a version with these tags."""
    return _fault(name, version, tags, trusted) is None


def _fault(name: str, version: str, tags: Mapping[str, str], trusted: Trusted) -> str | None:
    public, _, text = tags.get(Tag.SIGNATURE, "").partition(" ")
    if not public:
        return "none"
    if public not in trusted:
        return f"one by {ascii(public)[1:-1][:60]}"
    try:
        signature = base64.b64decode(text, validate=True)
    except ValueError:
        return "another text"
    return None if verifies(public, signature, statement(name, version, tags)) else "one of something else"
