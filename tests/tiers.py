"""Which tests need more than Python, by the fixtures they use or by where they stand, and which have a larger count.

`make test` runs what needs Python alone, `make test-all` the rest as well, `make test-long` the larger counts.
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

# What a machine may lack, and how it is called in the last lines of `make test`.
PARTS = {
    "containers": "containers",
    "browser": "a browser",
    "postgres": "Postgres",
    "tools": "Go tools",
    "kills": "random kills",
    "hsm": "a PKCS#11 token",
}
PROGRAMS = {
    "containers": ("docker", "dockerd", "podman", "debootstrap"),
    "browser": ("chromium", "chromium-browser", "google-chrome", "chromedriver"),
    "postgres": ("initdb", "postgres", "psql", "pg_ctl"),
    "tools": ("go", "kubectl", "kustomize", "actionlint"),
    "hsm": ("softhsm2-util",),
}
OF_FIXTURE = {
    "image": "containers",
    "server_image": "containers",
    "engine_of_containers": "containers",
    "browser": "browser",
    "postgres_server": "postgres",
    "secured": "postgres",
    "database": "postgres",
    "pod": "postgres",
    "hsm_token": "hsm",
}
OF_PLACE = {
    "components/collect/test_killed.py": "kills",
    "components/deploy/test_killed.py": "kills",
    "faults/": "kills",
    "k8s/": "tools",
    "components/train/test_estimator_pipeline.py": "long",
}
NOT_OF_PLACE = ("k8s/test_passwords.py", "k8s/test_policy.py")  # few tests of theirs, which say so themselves
FIRST = "not more"  # the words after `-m` in `make test`
LONG = os.environ.get("TIDEGATE_LONG") == "1"
# The files that take minutes: begun last, one of them would run alone at the end.
LONGEST_IN_LONG = (
    *("test_any_table.py", "components/deploy/test_killed.py", "faults/test_killed.py"),
    *("tidegate/tracking/test_journal.py", "components/collect/test_merge.py"),
)
LONGEST = (
    *(LONGEST_IN_LONG if LONG else ()),
    *("test_loop.py", "test_init.py", "test_problems.py", "test_promotion_page.py", "test_examples.py"),
    *("test_review_page.py", "components/test_signals.py", "components/test_mistakes.py"),
    *("components/train/test_estimator_pipeline.py", "tidegate/commands/cluster/test_doctor.py", "test_wheel.py"),
    *("components/test_places.py", "components/evaluate/test_evaluate.py", "tidegate/tracking/test_store.py"),
)
here = Path(__file__).parent
running: set[str] = set()


def large(count: int, usual: int) -> int:
    """How many examples or rounds a test makes: `count` in `make test-long`, else the usual number."""
    return count if LONG else usual


def needs(part: str) -> None:
    """Whoever reaches for a part of the machine says so; a test that has not its mark fails, wherever it runs."""
    assert part in running, f"expected the mark `{part}` on a test that reaches for {PARTS[part]}: see tests/tiers.py"


def lacking(reason: str) -> NoReturn:
    """A part is not on this machine: a user's tests go on without it, ours do not."""
    raise (pytest.fail if os.environ.get("CI") else pytest.skip).Exception(reason)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark every test, before `-m` selects."""
    for mark in {*marks_of(item)}:
        item.add_marker(mark)
    if parts_of(item):
        item.add_marker("more")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, all others as they were."""
    items.sort(key=lambda item: _rank(item.path.relative_to(here).as_posix()))


def _rank(place: str) -> int:
    return LONGEST.index(place) if place in LONGEST else len(LONGEST)


def marks_of(item: pytest.Item) -> Iterable[str]:
    """The marks that a test has by its fixtures, its place or its kind."""
    names = getattr(item, "fixturenames", ())
    yield from (mark for name, mark in OF_FIXTURE.items() if name in names)
    place = item.path.relative_to(here).as_posix()
    if place not in NOT_OF_PLACE:
        yield from (mark for start, mark in OF_PLACE.items() if place.startswith(start))
    if "rounds" in names or hasattr(getattr(item, "obj", None), "hypothesis"):
        yield "long"


def parts_of(item: pytest.Item) -> set[str]:
    """The parts of a machine that a test is marked with."""
    return {mark.name for mark in item.iter_markers()} & PARTS.keys()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Know what the test that runs is marked with."""
    running.clear()
    running.update(parts_of(item))
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """In `make test` hide what it must do without: a test that reaches for it fails where it is installed, too."""
    if config.option.markexpr == FIRST and not hasattr(config, "workerinput"):
        folder = Path(tempfile.mkdtemp(prefix="tidegate-path-"))
        config.add_cleanup(lambda: shutil.rmtree(folder))
        hidden = {name for names in PROGRAMS.values() for name in names}
        os.environ["PATH"] = path_without(hidden, os.environ["PATH"], folder)


def path_without(hidden: set[str], path: str, folder: Path) -> str:
    """The same PATH, on which some programs are not found; `folder` takes links to the others beside them."""
    places = []
    for number, place in enumerate(path.split(os.pathsep)):
        if any(Path(place, name).exists() for name in hidden):
            others = folder / str(number)
            others.mkdir()
            for program in Path(place).iterdir():
                if program.name not in hidden:
                    (others / program.name).symlink_to(program.absolute())
            place = str(others)
        places.append(place)
    return os.pathsep.join(places)


LEFT_OUT = pytest.StashKey[int]()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Count what `-m` left out because it needs more."""
    count = sum(bool(parts_of(item)) for item in items)
    for config in {item.config for item in items}:
        config.stash[LEFT_OUT] = config.stash.get(LEFT_OUT, 0) + count


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every process of a run has left out the same."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, Any, Any]:
    """The last lines of `make test`."""
    config = session.config
    left_out = config.stash.get(LEFT_OUT, 0)
    if hasattr(config, "workerinput"):
        config.workeroutput["left_out"] = left_out  # type: ignore[attr-defined]
    yield
    terminal: Any = config.pluginmanager.getplugin("terminalreporter")
    if terminal and config.option.markexpr == FIRST:
        terminal.write_line(left_out_of_it(left_out))


def left_out_of_it(count: int) -> str:
    """What a run of the first tier says that it did not do, and how to do it."""
    *parts, last = PARTS.values()
    return (
        f"left out: {count} tests that need {', '.join(parts)} or {last}: `make test-all`; "
        "ten thousand examples, a hundred kills: `make test-long`"
    )
