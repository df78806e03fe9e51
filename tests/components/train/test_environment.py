"""Where a training ran, as the machine itself says it."""

import platform
from pathlib import Path

import pytest

from tidegate.components.train import environment


def test_the_processor_is_the_one_that_the_system_names() -> None:
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    assert environment.environment().cpu == (names[0] if names else platform.processor() or platform.machine())


def test_where_the_system_names_none_it_is_the_kind_of_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "CPUINFO", tmp_path / "none")
    assert environment.environment().cpu == (platform.processor() or platform.machine())
