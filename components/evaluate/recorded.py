"""Reads what the champion's server has recorded, and asks the challenger; whatever is wrong there is one line."""

from pathlib import Path

from tidegate import models
from tidegate.components.evaluate.shadow import nothing, shadow
from tidegate.documents.record import Record
from tidegate.documents.shadow import Shadow
from tidegate.process.errors import InputError
from tidegate.serving.recordings import newest
from tidegate.tracking.champion import Champion


def beside(champion: Champion | None, place: str, path: Path, record: Record, task: str) -> Shadow:
    """The challenger, whose model is at `path`, beside the answers of the champion that are recorded at a place."""
    if champion is None:
        return nothing("no version serves yet")
    if not place:
        return nothing("serve.record is empty: nothing is recorded")
    try:
        recordings = newest(place, champion.version, task)
    except InputError as error:
        return nothing(str(error))
    same_sql = champion.record.made_from.recipe.sql == record.made_from.recipe.sql
    model = models.load(path, record.digest)
    return shadow(recordings, champion.version, model, record.features, task, same_sql)
