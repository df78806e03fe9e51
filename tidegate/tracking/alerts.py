"""Messages to people, by a webhook: one for each event, tried again if it does not arrive, never in a run's way.

The address is a secret of the environment, TIDEGATE_ALERTS_WEBHOOK. The message is what Slack and others like it take
(`text`), with the same as fields for other programs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

import requests

from tidegate.process import limits
from tidegate.process.errors import InputError
from tidegate.process.redaction import address, hidden, redacted, secret
from tidegate.process.transport import check_encrypted
from tidegate.tracking import cache
from tidegate.tracking.batch_runs import holder
from tidegate.tracking.records import once
from tidegate.tracking.store import answering

if TYPE_CHECKING:
    from mlflow import MlflowClient

VARIABLE = "TIDEGATE_ALERTS_WEBHOOK"
Event = Literal[
    "gate opened",
    "champion old",
    "estimated loss rose",
    "verdict refused",
    "traffic stopped",
    "predictions dropped",
]
PASSING = (429, 500, 502, 503, 504)  # of the answers: another attempt may succeed


@dataclass(frozen=True)
class Alert:
    """What happened to a batch, or to a window of requests, and why."""

    event: Event
    problem: str
    about: str
    """The batch or the window in words."""
    decision: str
    reasons: Sequence[str]


def alert(client: MlflowClient, run_id: str, message: Alert, key: str) -> None:
    """Send a message about the batch or window of a run, unless one about this event of `key` has been sent.

    Whatever goes wrong is a warning: an alert stops no run. Of racing steps one sends it; one that is killed before
    the message has arrived leaves it unsent.
    """
    url = secret(VARIABLE)
    if not url:
        return
    try:
        check_encrypted(VARIABLE, url)
        if not _claimed(client, run_id, f"alert.{message.event.replace(' ', '-')}.{key}"):
            return
        problem = _sent(url, {**_document(message), "link": _link(client, run_id)})
    except (InputError, OSError) as error:
        problem = redacted(str(error), [url])
    if problem:
        print(f"warning: nobody was told that {message.event}: {problem}", file=sys.stderr, flush=True)


@answering()
def _claimed(client: MlflowClient, run_id: str, name: str) -> bool:
    """Whether this process is the one that sends it."""
    return once(client, holder(client, run_id), name, uuid4().hex)


def _document(message: Alert) -> dict[str, object]:
    reasons = [hidden(reason) for reason in message.reasons]
    text = f"{message.problem}, {message.about}: {message.event}. {message.decision}: {'; '.join(reasons)}"
    return {"text": hidden(text), **asdict(message), "reasons": reasons}


def _link(client: MlflowClient, run_id: str) -> str | None:
    """The page of the run, where there is a server."""
    uri = client.tracking_uri
    if not uri.startswith(("http://", "https://")):
        return None
    run = cache.run(client, run_id).info
    return f"{address(uri).rstrip('/')}/#/experiments/{run.experiment_id}/runs/{run.run_id}"


def _sent(url: str, document: Mapping[str, object]) -> str:
    """Why the message has not arrived after some attempts; empty if it has."""
    problem = ""
    for attempt in range(limits.ALERT_ATTEMPTS):
        if attempt:
            time.sleep(limits.ALERT_PAUSE_SECONDS * attempt)
        try:
            answer = requests.post(url, json=document, timeout=limits.ALERT_SECONDS, allow_redirects=False)
        except requests.RequestException as error:
            problem = type(error).__name__
            continue
        if answer.ok and not answer.is_redirect:
            return ""
        problem = f"the webhook answers {answer.status_code}"
        if answer.status_code not in PASSING:
            break
    return problem
