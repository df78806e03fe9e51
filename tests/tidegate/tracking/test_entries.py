import json
from dataclasses import replace

import pytest

from tests.documents import VERDICT
from tidegate.tracking.entries import Entry, fold, from_tags, missing, same, to_tags


def entry(number: int, before: str | None, to: str, batch: str = "") -> Entry:
    return Entry(before, to, batch or f"b{to}", "ann", "2013-03-01", "better", VERDICT.summary, "d", number)


@pytest.mark.parametrize(
    ("moves", "champion", "void"),
    [
        ([], None, []),
        ([(None, "1")], "1", []),
        ([(None, "1"), (None, "2")], "1", [2]),
        ([(None, "1"), ("1", "2"), ("1", "3"), ("2", "3")], "3", [3]),
        ([(None, "1"), ("1", "2"), ("2", "1"), ("1", "2")], "2", []),
        ([("7", "1"), (None, "2")], "2", [1]),
        ([(None, "")], None, [1]),
    ],
)
def test_an_entry_counts_only_from_the_champion_before_it(
    moves: list[tuple[str | None, str]], champion: str | None, void: list[int]
) -> None:
    history = fold(entry(number, *move) for number, move in enumerate(moves, start=1))
    assert history.champion == champion
    assert [it.number for it in history.void] == void
    assert len(history.counted) + len(history.void) == len(moves)


def test_the_order_is_that_of_the_numbers() -> None:
    assert fold([entry(10, "2", "3"), entry(9, "1", "2"), entry(2, None, "1")]).champion == "3"


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        (entry(0, "2", "3", "b3"), 4),  # it leads where the tail leads
        (entry(0, "1", "2", "b2"), 2),  # it counted once
        (entry(0, "1", "4", "b4"), 3),  # it lost against that champion
        (entry(0, "3", "4", "b4"), None),  # it may try the next one
        (entry(0, "3", "2", "rollback"), None),
    ],
)
def test_the_same_promotion_is_found_again(asked: Entry, number: int | None) -> None:
    history = fold([entry(1, None, "1"), entry(2, "1", "2"), entry(3, "1", "4", "b4"), entry(4, "2", "3")])
    found = same(history, asked)
    assert (found.number if found else None) == number


def test_a_rollback_without_a_batch_can_be_repeated() -> None:
    moves = [(1, None, "1"), (2, "1", "2"), (3, "2", "1"), (4, "1", "2")]
    history = fold(Entry(before, to, "", "ann", "", "", number=number) for number, before, to in moves)
    assert same(history, Entry("2", "1", "", "ann", "", "")) is None


@pytest.mark.parametrize(
    ("numbers", "length", "gone"), [([], 0, []), ([1, 3], 2, [2]), ([1], 3, [2, 3]), ([2], 0, [1])]
)
def test_holes_are_found(numbers: list[int], length: int, gone: list[int]) -> None:
    assert missing(numbers, length) == gone


@pytest.mark.parametrize("before", [None, "4"])
def test_an_entry_survives_its_tags(before: str | None) -> None:
    assert from_tags(3, to_tags(entry(3, before, "5"))) == entry(3, before, "5")


def test_a_version_made_by_hand_never_counts() -> None:
    assert fold([from_tags(1, {}), from_tags(2, {"tidegate.to": "9"})]).champion is None


def person(number: int, kind: str, before: str | None, to: str) -> Entry:
    return Entry(before, to, "", "ann", "2013-03-01", "because", None, "d", number, kind)


@pytest.mark.parametrize(
    ("said", "champion", "refused"),
    [
        ([person(2, "rejection", "1", "2"), entry(3, "1", "2")], "1", {"2"}),
        ([entry(2, "1", "2"), person(3, "rejection", "1", "2")], "2", {"2"}),  # it came too late: a rollback is due
        ([person(2, "rejection", "1", "2"), person(3, "approval", "1", "2")], "2", set()),
        ([entry(2, "1", "2"), person(3, "rollback", "2", "1"), entry(4, "1", "2", "b9")], "1", {"2"}),
        ([entry(2, "1", "2"), person(3, "rollback", "2", "1"), person(4, "approval", "1", "2")], "2", set()),
        ([person(2, "rejection", "1", "2"), entry(3, "1", "3")], "3", {"2"}),
        ([person(2, "approval", None, "2")], "1", set()),
    ],
)
def test_what_a_person_refused_only_a_person_promotes(said: list[Entry], champion: str, refused: set[str]) -> None:
    history = fold([entry(1, None, "1"), *said])
    assert history.champion == champion and set(history.refused) == refused
    assert [it.number for it in history.entries] == list(range(1, len(said) + 2)) and history.last == len(said) + 1


def test_an_entry_is_read_as_it_was_written() -> None:
    promoted = entry(1, None, "1")
    assert from_tags(1, to_tags(promoted)) == promoted and promoted.verdict == VERDICT.summary
    word = Entry("1", "", "b1", "ann", "", "", kind="feedback", feedback={"about": "b1", "said": "wrong"})
    assert from_tags(0, to_tags(word)) == word


def test_an_entry_that_keeps_less_of_a_verdict_keeps_none_and_one_that_keeps_more_the_same() -> None:
    tags = to_tags(entry(1, None, "1"))
    more = json.dumps({**VERDICT.summary.document(), "accepted": True, "file": "verdict.json"})
    assert from_tags(1, {**tags, "tidegate.verdict": more}).verdict == VERDICT.summary
    assert from_tags(1, {**tags, "tidegate.verdict": '{"loss": 0.5}'}).verdict is None
    noted = replace(VERDICT.summary, notes=("a linear model would do",))
    assert from_tags(1, {**tags, "tidegate.verdict": json.dumps(noted.document())}).verdict == noted


def test_an_entry_from_before_there_were_kinds_has_one() -> None:
    tags = {key: value for key, value in to_tags(entry(1, None, "1")).items() if key != "tidegate.kind"}
    assert from_tags(1, tags).kind == "promotion"
    assert from_tags(1, {**tags, "tidegate.batch": ""}).kind == "rollback"


@pytest.mark.parametrize("kind", ["feedback", "of a later release"])
def test_a_word_that_leads_nowhere_moves_nothing(kind: str) -> None:
    word = Entry("1", "", "b1", "ann", "", "", number=2, kind=kind, feedback={"said": "wrong"})
    history = fold([entry(1, None, "1"), from_tags(2, to_tags(word)), entry(3, "1", "2")])
    assert (history.champion, history.last, [it.to for it in history.counted]) == ("2", 3, ["1", "2"])
    assert [it.number for it in (history.feedback if kind == "feedback" else history.void)] == [2]
    assert same(history, entry(0, "1", "1", "b1")) == entry(1, None, "1")
