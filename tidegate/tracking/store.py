"""The connection to MLflow: a sqlite file of this machine, or the server that MLFLOW_TRACKING_URI names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tidegate.process import limits
from tidegate.process.context import in_run, kubeflow_run
from tidegate.process.errors import TrackingError, UnavailableTrackingError
from tidegate.process.redaction import address, redacted, secret
from tidegate.process.transport import check_encrypted
from tidegate.tracking import cache, database, embedded, failures

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from tidegate.tracking.reader import Reader

START_SERVER = "start the server or correct MLFLOW_TRACKING_URI"
CREDENTIALS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
SIGN_IN = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
ALLOWED = "let the owner or an admin grant access: see `tidegate doctor`"
# A pattern of MLflow's message, what it means, and the cure; the first that matches.
REASONS = (
    (r"error code 401|UNAUTHENTICATED", "401 (not signed in)", SIGN_IN),
    (r"Invalid Host header", "403 (refused by its name)", "add this name to --allowed-hosts of the server"),
    (r"error code 403|PERMISSION_DENIED|403 Client Error", "403 (refused)", ALLOWED),
    (r"database is locked", "a database that another process has locked", "wait until that has ended"),
    (r"database or disk is full|No space left", "no space left on device", "free some"),
    (r"malformed|file is not a database|disk I/O error", "a damaged database", "restore a copy, or move it away"),
    (r"(?i)timed? ?out|no answer", "no answer", START_SERVER),
    (r"(?i)refused|resolve|unreachable|connection aborted|max retries", "no connection", START_SERVER),
    (r"(?i)valid JSON format|error code (404|405)", "another kind of server", "correct MLFLOW_TRACKING_URI"),
)
PASSING = r"no answer|no connection|error code 5\d\d|has locked"  # a retry may succeed
QUIET = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}
# A request to a server that is away gives up within a minute; with MLflow's defaults it takes more than fifteen.
PATIENCE = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": str(limits.TRACKING_SECONDS),
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(limits.TRACKING_PAUSES),
}
# Presigned URLs of the artifact store often name a host that only the server can resolve.
THROUGH_THE_SERVER = {
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
}
# Short time-outs for the first request of a command, which only asks whether there is a server.
PROBING = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # a busy server needs seconds to check a password
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
}


def connect() -> MlflowClient:
    """A client of a store that answers and has up-to-date tables; TrackingError without one.

    In the middle of a run a server that is away may come back (see `patience`); a command says so after some seconds.
    """
    from mlflow import MlflowClient, set_tracking_uri
    from mlflow.utils.credentials import get_default_host_creds

    setting = os.environ.get("MLFLOW_TRACKING_URI")
    if not setting and kubeflow_run():  # a database file in the pod would be lost with it
        cure = "give the step `uses: [mlflow]` in cluster.yaml"
        raise TrackingError("MLFLOW_TRACKING_URI", "an MLflow server", "nothing", cure)
    uri = database.absolute(setting or database.DEFAULT_URI)
    for name, value in {**QUIET, **PATIENCE}.items():
        os.environ.setdefault(name, value)
    os.environ.update(THROUGH_THE_SERVER)
    if path := database.path_of(uri):
        database.migrate(path)
        database.wait_for_locks()
    elif not uri.startswith(("http://", "https://")):
        scheme = uri.partition(":")[0]
        raise TrackingError(
            "MLFLOW_TRACKING_URI", "sqlite:/// or http(s)://", scheme, "put an MLflow server before it"
        )
    else:
        credentials = get_default_host_creds(uri)  # type: ignore[no-untyped-call]  # also of ~/.mlflow
        if credentials.password or credentials.token or urlsplit(uri).password:
            check_encrypted("MLFLOW_TRACKING_URI", uri)
    # MLflow resolves models:/ URIs by the global tracking URI, not by the client's.
    set_tracking_uri(uri)
    client = MlflowClient(uri, registry_uri=uri)
    if not path:
        from tidegate.tracking import patience

        patience.install()
        with answering(uri), _environment({} if in_run() else PROBING):
            cache.experiments(client)
    return client


def reader() -> Reader:
    """Who answers a command that only reads: the database of this machine itself, else a client as of `connect`."""
    setting = os.environ.get("MLFLOW_TRACKING_URI")
    path = None if kubeflow_run() and not setting else database.path_of(setting or database.DEFAULT_URI)
    return embedded.Embedded(path, connect) if path and embedded.reads(path) else connect()


def signed_in() -> str:
    """The user of this process on the tracking server, for messages."""
    name = os.environ.get("MLFLOW_TRACKING_USERNAME")
    return f"the user {name}" if name else "this user"


@contextmanager
def answering(thing: object = "the tracking store") -> Iterator[None]:
    """Turn exceptions of MLflow into a TrackingError about `thing`: one line, without secrets. Also a decorator."""
    try:
        yield
    except failures.of_a_store() as error:
        # An OSError with an errno comes from this machine and needs no translation.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        # Not chained: the original message may contain a password.
        raise _translated(thing, str(error)) from None


def quoted(text: str) -> str:
    """The text as a string literal of MLflow's search syntax, which has no escape for quotes."""
    if "'" in text:
        raise TrackingError(text, "a name without quotes", "a quote", "choose another name")
    return f"'{text}'"


def _translated(thing: object, message: str) -> TrackingError:
    where = _hidden(str(thing))
    for pattern, found, cure in REASONS:
        if re.search(pattern, message):
            kind = UnavailableTrackingError if re.search(PASSING, found) else TrackingError
            return kind(where, "an MLflow server that answers", found, cure)
    kind = UnavailableTrackingError if re.search(PASSING, message) else TrackingError
    return kind(where, "MLflow to do as asked", _hidden(message)[:300], "see its log")


def _hidden(text: str) -> str:
    return redacted(address(text), filter(None, map(secret, CREDENTIALS)))


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set these variables for a while, except those that the user has set."""
    mine = {name: value for name, value in values.items() if os.environ.get(name) in (None, PATIENCE.get(name))}
    os.environ.update(mine)
    try:
        yield
    finally:
        for name in mine:
            del os.environ[name]
        os.environ.update({name: PATIENCE[name] for name in mine if name in PATIENCE})
