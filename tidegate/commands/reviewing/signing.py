"""`tidegate keys`: new keys, and the signature of a version by a person."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from tidegate.commands.loop.workspace import CONTRACT, trusted_keys
from tidegate.contract.contract import read_contract
from tidegate.process import keys
from tidegate.process.errors import InputError


def make(path: Path) -> str:
    """Write a new private key as PEM, readable by its owner only; returns the public key."""
    private, public = keys.make()
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(path, "no file, because a key is never overwritten", "one", "choose another name") from None
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(private)
    return public


def sign(version: str) -> str:
    """Sign a registered version whose digests are right, whoever signed it before; returns the public key."""
    from tidegate.tracking import signatures, versions
    from tidegate.tracking.store import connect

    trusted, name = trusted_keys(), read_contract(CONTRACT).name
    signer = keys.trusted_signer(trusted) if trusted else keys.signer()
    client = connect()
    model_version = versions.get(client, name, version)
    with TemporaryDirectory() as scratch:
        versions.fetch(client, name, version, Path(scratch, "version"), (), model_version)
    versions.tag(client, model_version, signatures.signed(signer, name, version, model_version.tags))
    return signer.public
