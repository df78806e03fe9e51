"""`tidegate prune`: what is older than wanted and needed by nobody, of MLflow, of the recordings, of DVC's cache."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tidegate.commands.loop import locks
from tidegate.commands.loop.workspace import CONTRACT, PARAMS, run_dvc
from tidegate.contract.contract import read_contract
from tidegate.documents.durations import interval, seconds
from tidegate.documents.parameters import read_parameters
from tidegate.process import limits
from tidegate.process.errors import InputError
from tidegate.tracking.tags import Tag

DVC_FILE = ".dvc"  # how the name of a file ends by which DVC tracks data
MD5 = re.compile(r"^[- ]*md5: ['\"]?([0-9a-f]{32}(?:\.dir)?)['\"]?\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Plan:
    """What of one store goes: a line about it, and how; `remove` is None where nothing does."""

    line: str
    remove: Callable[[], object] | None = None


def plans(keep: str) -> list[Plan]:
    """What goes that is older than the duration `keep`."""
    interval(keep, "--keep")
    moment = datetime.now(UTC) - timedelta(seconds=seconds(keep))
    locks.check()
    return [_of_mlflow(moment), _of_recordings(moment), _of_cache(moment)]


def _of_mlflow(moment: datetime) -> Plan:
    from tidegate.tracking import retention
    from tidegate.tracking.store import connect

    client, name = connect(), read_contract(CONTRACT).name
    surplus = retention.surplus(client, name, moment)
    whole = [each for each in surplus if each.whole]
    pages = sum(len(each.files) for each in surplus if not each.whole)
    models, size = sum(len(each.models) for each in surplus), sum(each.bytes for each in surplus)
    line = f"MLflow: {len(whole)} runs, {pages} pages of {len(surplus) - len(whole)} other runs, {models} models"
    return _plan(line, size, lambda: [retention.remove(client, each) for each in surplus], bool(surplus))


def _of_recordings(moment: datetime) -> Plan:
    from tidegate.serving import recorded_hours

    place = read_parameters(PARAMS)["serve"]["record"]
    if not place:
        return Plan("recordings: none, serve.record is empty")
    hours = recorded_hours.before(place, moment.replace(tzinfo=None))
    line = f"recordings: {sum(hour.files for hour in hours)} files of {len(hours)} hours"
    return _plan(line, sum(hour.bytes for hour in hours), lambda: recorded_hours.remove(place, hours), bool(hours))


def _of_cache(moment: datetime) -> Plan:
    from tidegate.versions import unused_objects

    if reason := _not_ours():
        return Plan(f"DVC cache: left as it is, because {reason}")
    folder, versions, since = Path.cwd(), _versions(), moment.timestamp()
    objects = unused_objects.unused(folder, versions, since)
    line, size = f"DVC cache: {len(objects)} objects", sum(each.bytes for each in objects)
    return _plan(line, size, lambda: unused_objects.remove(folder, versions, since), bool(objects))


def _plan(line: str, size: int, remove: Callable[[], object], any_: bool) -> Plan:
    return Plan(f"{line}, {size / 1e6:,.1f} MB", remove if any_ else None)


def _not_ours() -> str:
    """Why the cache has to stay; empty where it may be looked through."""
    done = run_dvc("cache", "dir")
    if done.returncode:
        return "this folder is no DVC project"
    cache = Path(done.stdout.strip()).resolve()
    if not cache.is_relative_to(Path.cwd().resolve()):
        return f"other projects may use {cache}"
    return "" if _git("rev-parse", "HEAD") else "without git nobody knows which versions of the data there were"


def _versions() -> set[str]:
    """What every commit and every registered version tracks as data: DVC's cache may have the only copy."""
    from tidegate.tracking import numbered
    from tidegate.tracking.store import reader

    registered = {each.tags.get(Tag.DATA, "") for each in numbered.listed(reader(), read_contract(CONTRACT).name)}
    return (registered | _tracked_in_history()) - {""}


def _tracked_in_history() -> set[str]:
    """The MD5 of what the `.dvc` files of all commits name, also of those that DVC cannot read."""
    objects = (line.partition(" ") for line in _history("rev-list", "--objects", "--all", "HEAD").splitlines())
    files = {name for name, _, path in objects if path.endswith(DVC_FILE)}
    return {*MD5.findall(_history("cat-file", "--batch", asked="\n".join(sorted(files))))}


def _history(*arguments: str, asked: str = "") -> str:
    """What git says of its history; InputError where it does not know: what it does not name would be removed."""
    command, limit = ["git", *arguments], limits.GIT_HISTORY_SECONDS
    try:
        done = subprocess.run(command, input=asked.encode(), capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        found = f"no end after {limit} s"
    else:
        if done.returncode == 0:
            return done.stdout.decode(errors="replace")
        found = (done.stderr.decode(errors="replace").splitlines() or ["nothing"])[0]
    raise InputError(f"git {arguments[0]}", "the history of this folder", found, "repair what `git fsck` names")


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=limits.GIT_SECONDS, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
