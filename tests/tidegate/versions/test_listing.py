"""Which version is the newest, and where to start."""

from datetime import UTC, datetime, timedelta

from tidegate.versions.listing import NAME_PATTERN, Version, following, start

noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
a, b = Version(noon, "a" * 32), Version(noon + timedelta(microseconds=1), "b" * 32)


def text(md5: str) -> str:
    return f"outs:\n- md5: {md5}.dir\n  path: data\n"


def test_it_starts_at_the_newest_unless_a_person_made_another() -> None:
    assert start("", []) is None
    assert start("", [a, b]) == b
    assert start(text(a.md5), [a, b]) == b
    assert start(text("c" * 32), [a, b]) is None


def test_a_version_follows_those_that_were_seen_whatever_the_clock_says() -> None:
    assert following(text("c" * 32), [a, b], noon + timedelta(days=1)).added == noon + timedelta(days=1)
    behind = following(text("c" * 32), [a, b], noon - timedelta(days=1))
    assert [*sorted([behind, b, a])] == [a, b, behind]
    assert [*sorted([behind.name, b.name, a.name])] == [a.name, b.name, behind.name]


def test_a_name_tells_the_version() -> None:
    found = NAME_PATTERN.fullmatch(a.name)
    assert a.name == f"20240101T120000.000000Z-{'a' * 32}.dvc" and found and found.groups()[1] == a.md5
