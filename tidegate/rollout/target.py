"""Where an accepted version goes: the parameters of the section `deploy` that say so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

REGISTRY, KSERVE = "registry", "kserve"


@dataclass(frozen=True)
class Target:
    """The registry alone, or an InferenceService too: its name, the canary's share, and how long it is watched."""

    target: str = REGISTRY
    service: str = ""
    canary_percent: int = 10
    watch_seconds: float = 60

    @property
    def on_kserve(self) -> bool:
        """Whether a version is tried as a canary before it is champion."""
        return self.target == KSERVE


def target_of(deploy: Mapping[str, Any]) -> Target:
    """The target by the section `deploy` of params.yaml."""
    return Target(deploy["target"], deploy["service"], deploy["canary_percent"], deploy["watch_seconds"])
