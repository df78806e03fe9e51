"""Asks an address for predictions, as a client of the service does."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any, NamedTuple

from tidegate.process import limits

MOST_BYTES = 10_000_000
Instances = Sequence[Mapping[str, Any]]


class Answer(NamedTuple):
    """What an address has said: the version that answered, its predictions, the seconds, or why there are none.

    `status` is that of HTTP, None when no answer came.
    """

    status: int | None
    seconds: float
    version: str = ""
    predictions: tuple[Any, ...] = ()
    fault: str = ""


def ask(address: str, model: str, instances: Instances) -> Answer:
    """Ask once, over a connection of its own: which of several pods answers is drawn anew."""
    body = json.dumps({"instances": instances}).encode()
    url = f"{address.rstrip('/')}/v1/models/{model}:predict"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310, of the API
    opener = urllib.request.build_opener()  # with the proxies that the environment names now
    since = time.monotonic()
    try:
        with opener.open(request, timeout=limits.ROLLOUT_ASK_SECONDS) as response:
            content = response.read(MOST_BYTES)
        return _answer(content, time.monotonic() - since)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, time.monotonic() - since, fault=f"status {error.code}")
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        name = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        return Answer(None, time.monotonic() - since, fault=name)


def _answer(content: bytes, seconds: float) -> Answer:
    try:
        document = json.loads(content)
        predictions, version = document["predictions"], str(document["model_version"])
    except (ValueError, KeyError, TypeError):
        return Answer(200, seconds, fault="an answer that is not of `tidegate serve`")
    return Answer(200, seconds, version, tuple(map(_value, predictions)))


def _value(prediction: Any) -> Any:
    """A prediction as the reference sample has it: of many classes the most probable one."""
    return prediction["class"] if isinstance(prediction, dict) else prediction
