"""Connects to the store that MLFLOW_TRACKING_URI names: a sqlite file of this machine, or a server."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from mlflow import MlflowClient, set_tracking_uri
from mlflow.exceptions import MlflowException

from tidegate.process.context import kubeflow_run
from tidegate.process.errors import TrackingError, UnavailableTrackingError
from tidegate.process.redaction import address, redacted
from tidegate.tracking import cache, database

start_server = "start the server or correct MLFLOW_TRACKING_URI"
sign_in = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
allowed = "let the owner or an admin grant access: see `tidegate doctor`"
# What MLflow says, what it means, what cures it: the first that matches.
reasons = (
    (r"error code 401|UNAUTHENTICATED", "401 (not signed in)", sign_in),
    (r"Invalid Host header", "403 (refused by its name)", "add this name to --allowed-hosts of the server"),
    (r"error code 403|PERMISSION_DENIED|403 Client Error", "403 (refused)", allowed),
    (r"(?i)timed? ?out|no answer", "no answer", start_server),
    (r"(?i)refused|resolve|unreachable|connection aborted|max retries", "no connection", start_server),
    (r"(?i)valid JSON format|error code (404|405)", "another kind of server", "correct MLFLOW_TRACKING_URI"),
)
passing = r"no answer|no connection|error code 5\d\d"  # what may be another answer later
quiet = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}
# Of one request: five minutes at most. MLflow's own patience is a quarter of an hour and more.
patience = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "60", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4"}
# A server may offer addresses of the store behind it, whose name is often known to nobody but the server.
through_the_server = {
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
}
# Whether a server is there at all is asked with little patience.
probing = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # a busy server takes seconds for the password alone
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}


def connect() -> MlflowClient:
    """A client of a store that answers, with up-to-date tables; TrackingError after half a minute otherwise."""
    given = os.environ.get("MLFLOW_TRACKING_URI")
    if not given and kubeflow_run():  # a file in its pod would forget every champion
        cure = "give the step `uses: [mlflow]` in cluster.yaml"
        raise TrackingError("MLFLOW_TRACKING_URI", "an MLflow server", "nothing", cure)
    uri = database.absolute(given or database.default_uri)
    for name, value in {**quiet, **patience}.items():
        os.environ.setdefault(name, value)
    os.environ.update(through_the_server)
    if path := database.path_of(uri):
        database.migrate(path)
    elif not uri.startswith(("http://", "https://")):
        scheme = uri.partition(":")[0]
        raise TrackingError(
            "MLFLOW_TRACKING_URI", "sqlite:/// or http(s)://", scheme, "put an MLflow server before it"
        )
    # The registry resolves models:/ URIs through the global one, not through the client's.
    set_tracking_uri(uri)
    client = MlflowClient(uri, registry_uri=uri)
    if not path:
        with answering(uri), _environment(probing):
            cache.experiments(client)
    return client


def signed_in() -> str:
    """Who this process is to the tracking server, in words."""
    name = os.environ.get("MLFLOW_TRACKING_USERNAME")
    return f"the user {name}" if name else "this user"


@contextmanager
def answering(thing: object = "the tracking store") -> Iterator[None]:
    """Turn what MLflow raises about `thing` into a TrackingError of one line without secrets; also a decorator."""
    try:
        yield
    except (MlflowException, OSError) as error:
        # With a number it comes from this machine and speaks for itself; without, from a server or an artifact store.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        # The original may hold a password: it is not chained.
        raise _told(thing, str(error)) from None


def quoted(text: str) -> str:
    """The text as a literal of MLflow's search language, which knows no escape."""
    if "'" in text:
        raise TrackingError(text, "a name without quotes", "a quote", "choose another name")
    return f"'{text}'"


def _told(thing: object, message: str) -> TrackingError:
    where = _hidden(str(thing))
    for pattern, found, cure in reasons:
        if re.search(pattern, message):
            kind = UnavailableTrackingError if re.search(passing, found) else TrackingError
            return kind(where, "an MLflow server that answers", found, cure)
    kind = UnavailableTrackingError if re.search(passing, message) else TrackingError
    return kind(where, "MLflow to do as asked", _hidden(message)[:300], "see its log")


def _hidden(text: str) -> str:
    mine = (os.environ.get(name) for name in ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN"))
    return redacted(address(text), filter(None, mine))


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """These variables, but for those that a person has set."""
    mine = {name: value for name, value in values.items() if os.environ.get(name) in (None, patience.get(name))}
    os.environ.update(mine)
    try:
        yield
    finally:
        for name in mine:
            del os.environ[name]
        os.environ.update({name: patience[name] for name in mine if name in patience})
