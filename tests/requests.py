"""Requests as the server records them, without a server."""

from pathlib import Path

import pandas as pd

from tidegate.serving.options import Settings
from tidegate.serving.recorded_prediction import Prediction, key
from tidegate.serving.recorder import MOST_BYTES, Recorder
from tidegate.serving.rows import Kind
from tidegate.tracking.champion import Champion


def record(place: Path, champion: Champion, frame: pd.DataFrame, kind: Kind = "event", most: int = MOST_BYTES) -> None:
    """Let the server's recorder write each row as a request at the time of its event; `most` bytes may wait."""
    recorder = Recorder(Settings("", "accept", 1000, 10**9, 10, str(place), 1.0, 10), print, most)
    names, time = key(champion.contract), champion.contract.time
    for place_, row in enumerate(frame.to_dict("records")):
        moment = row[time].to_pydatetime()
        columns = {name: [None if row[name] != row[name] else row[name]] for name in champion.record.features}
        identity = {name: [moment if name == time else row[name]] for name in names} if kind == "event" else {}
        answer = champion.predict(frame.iloc[place_ : place_ + 1])
        recorder.add(Prediction(f"r{place_}", moment, champion, kind, identity, columns, answer))
    recorder.flush()
