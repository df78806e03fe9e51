"""DVC's S3 with less patience: a store that stops answering ends a step in minutes, not in a quarter of an hour."""

from functools import cached_property
from typing import Any

import dvc_s3

from tidegate.process import limits


class S3FileSystem(dvc_s3.S3FileSystem):  # type: ignore[misc]
    """DVC's own tries five times at each of two levels, which makes 25 waits for one answer; here they are four."""

    def _prepare_credentials(self, **config: Any) -> dict[str, Any]:
        found: dict[str, Any] = super()._prepare_credentials(**config)
        retries = {"total_max_attempts": limits.STORE_ATTEMPTS}
        return {**found, "config_kwargs": {**found["config_kwargs"], "retries": retries}}

    @cached_property
    def fs(self) -> Any:
        """The file system below, which tries again by itself."""
        found = super().fs
        found.retries = limits.STORE_ATTEMPTS
        return found
