"""`tidegate run`: one turn of the loop on this machine, told to a person as it goes and summed up at its end."""

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from tidegate.commands.loop import containers, locks, rewritten, unchanged, workspace
from tidegate.commands.loop.champion import champion_by_fork
from tidegate.documents.batch import Batch
from tidegate.documents.decision import Decision
from tidegate.documents.formats import read_text, recover, write_text
from tidegate.documents.moments import moment
from tidegate.documents.parameters import parse_parameters
from tidegate.documents.release import Release
from tidegate.documents.verdict import Verdict
from tidegate.process import fork_server
from tidegate.process.errors import InputError, TrackingError

# A step that exits with 2 or 75 has said what is wrong; of any other end DVC alone tells.
NOISE = re.compile(
    r"^(> |Updating lock file|Generating lock file|To track the changes|\tgit add|To enable auto"
    r"|\tdvc config|Use `dvc push`|'data\.dvc' didn't change|Stage .* skipping|Data and pipelines"
    r"|ERROR: Unable to acquire lock|.* is being blocked by:$|  \(PID \d+\): |If there are no processes with such PIDs"
    r"|WARNING: Process .* in RWLock-file|ERROR: failed to reproduce '\w+': failed to run: .*, exited with (2|75)$)"
)

Environment = Mapping[str, str]
Prepared = Callable[[Environment], AbstractContextManager[Environment]]


def turn(until: str | None, anew: bool, in_containers: bool) -> tuple[dict[str, float], str | None]:
    """Bring the workspace up to date; returns the seconds of each stage that ran, and the champion now.

    InputError when the data is not what data.dvc says, a stage fails, or the registry is another one.
    """
    locks.check()
    recover(workspace.ARTIFACTS)
    here = workspace.environment()
    if until is not None:
        moment("--until", until, "correct it")
    with containers.steps_in_containers(here) if in_containers else nullcontext(here) as within:
        return _turn(within, until, anew, nullcontext if in_containers else fork_server.serving)


def _turn(
    within: Environment, until: str | None, anew: bool, prepared: Prepared
) -> tuple[dict[str, float], str | None]:
    if until is None and not anew and _is_unchanged():
        return {}, unchanged.remembered_registry()[1]
    before = read_text(workspace.PARAMS)
    text = before if until is None else workspace.with_until(before, until)
    parameters = parse_parameters(text, workspace.PARAMS)
    if source := workspace.fetch_data():
        print(f"fetched data/ from {source}", file=sys.stderr)
    with ThreadPoolExecutor() as both:
        changed = both.submit(workspace.changed_stages)
        champion = None if anew else _known_champion()
        stages = changed.result()
    if text != before:  # what could be checked without it holds
        write_text(workspace.PARAMS, text)
        stages.append("ingest")
    again = [] if anew else list(stale(champion))
    again += [] if anew or stages or again else asked_about(champion, parameters["gate"])
    if not anew and not stages and not again:
        return {}, champion
    warn_of_key(parameters["deploy"])
    for path in workspace.remove_damaged() if anew else ():
        print(f"removed a damaged object of the DVC cache: {path}", file=sys.stderr)
    seconds: dict[str, float] = {}
    with prepared({**within, **rewritten.checked()}) as ready:
        for stage in again:
            seconds |= timed(workspace.repro(ready, "--force", "--single-item", stage))
        seconds |= timed(workspace.repro(ready, *(["--force"] if anew else [])))
        return seconds, _current_champion(ready)


def _is_unchanged() -> bool:
    """Whether the files and the registry are as they were when there was nothing to do."""
    if not unchanged.up_to_date(unchanged.now()):
        return False
    untouched, champion = unchanged.remembered_registry()
    return untouched and next(stale(champion), None) is None


def warn_of_key(deploy: Mapping[str, str]) -> None:
    """Warn, before minutes are spent on training, if an accepted version could not be signed."""
    if deploy["approval"] == "never" or not deploy["sign"]:
        return
    from tidegate.process import keys  # with its library, which most runs do not need

    try:
        keys.trusted_signer(keys.trusted(deploy["sign"]))
    except InputError as error:
        print(f"warning: an accepted version could not be signed: {error}", file=sys.stderr, flush=True)


def timed(lines: Iterable[str]) -> dict[str, float]:
    """Tell a person what `dvc repro` does, and measure the seconds of each stage."""
    seconds: dict[str, float] = {}
    stage, since = None, time.monotonic()
    for line in lines:
        started = re.match(r"Running stage '(\w+)'", line)
        if started:
            if stage:
                seconds[stage] = time.monotonic() - since
            stage, since = None if started[1] == "code" else started[1], time.monotonic()
            if stage:
                print(f"\n{stage}", file=sys.stderr, flush=True)
        elif line.strip() and not NOISE.match(line):
            print(f"  {line}", file=sys.stderr, flush=True)
    if stage:
        seconds[stage] = time.monotonic() - since
    return seconds


def stale(champion: str | None) -> Iterator[str]:
    """Stages whose inputs DVC believes unchanged but whose answer no longer holds."""
    batch, verdict = workspace.written(Batch, "featurize"), workspace.written(Verdict, "evaluate")
    release = workspace.written(Release, "deploy")
    if batch is None or verdict is None or verdict.batch != batch.id:
        return
    if release is None or release.batch != batch.id or release.verdict != verdict:
        if verdict.champion != champion:
            yield "evaluate"  # against a champion that another promotion has replaced
    elif release.experiment:
        yield "deploy"  # an experiment is evaluated and not promoted; this is none
    elif release.waiting:
        if champion not in (verdict.champion, release.version):
            yield "evaluate"  # the champion that it was compared with is gone
        elif champion == release.version or _rejected(batch.name, release.version):
            yield "deploy"  # a person has answered


def asked_about(champion: str | None, policy: Mapping[str, Any]) -> Iterator[str]:
    """The gate, if a window of requests has opened it since it kept the champion for this batch."""
    batch, decision = workspace.written(Batch, "featurize"), workspace.written(Decision, "gate")
    if champion is None or batch is None or decision is None or decision.batch != batch.id or decision.retrain:
        return
    if policy["mode"] != "auto" or "requests" in policy["off"].split():
        return
    from tidegate.tracking import windows
    from tidegate.tracking.batch_runs import batches
    from tidegate.tracking.store import reader

    judged = windows.windows(reader(), batch.name)
    if judged and windows.open_window(judged, batches(reader(), batch.name), batch, champion):
        yield "gate"


def _rejected(name: str, version: str | None) -> bool:
    from tidegate.tracking.journal import history
    from tidegate.tracking.store import reader

    return version in history(reader(), name).refused


def _known_champion() -> str | None:
    """The champion in the registry; TrackingError when the workspace remembers one that never was there."""
    untouched, champion = unchanged.remembered_registry()
    if untouched:
        return champion
    batch = workspace.written(Batch, "featurize")
    release, decision = workspace.written(Release, "deploy"), workspace.written(Decision, "gate")
    if batch is None or decision is None:
        return None
    remembered = release.champion if release else decision.champion
    from tidegate.tracking.journal import history
    from tidegate.tracking.store import reader

    counted = history(reader(), batch.name)
    if remembered and remembered not in {entry.to for entry in counted.counted}:
        raise TrackingError(
            f"registry of {batch.name}",
            f"version {remembered}, the champion this workspace remembers",
            f"version {counted.champion} without it" if counted.champion else "no champion",
            "restore the tracking store, or begin anew with `tidegate run --anew`",
        )
    return _current_champion()


def _current_champion(environment: Environment | None = None) -> str | None:
    batch = workspace.written(Batch, "featurize")
    if batch is None:
        return None
    champion = champion_by_fork(batch.name, environment or {})
    unchanged.remember_registry(champion)
    return champion
