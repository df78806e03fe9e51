"""The version that predicts: the champion of a registered model, or another one."""

from tidegate.process.errors import InputError
from tidegate.process.keys import trusted
from tidegate.tracking import journal
from tidegate.tracking.champion import Champion, champion_of, version_of
from tidegate.tracking.store import connect


def loaded(name: str, version: str, sign: str) -> Champion:
    """The version, by default the champion, fetched and checked; InputError where there is none."""
    client = connect()
    if version:
        return version_of(client, name, version, trusted(sign))
    serving = journal.unrepaired(client, name, journal.history(client, name))
    champion = champion_of(client, name, serving, trusted(sign))
    if champion is None:
        raise InputError(name, "a champion", "none yet", "`tidegate run` trains the first, or name a version")
    return champion
