"""DVC's S3 file system with fewer retries: a silent store ends a step within minutes, not a quarter of an hour."""

from functools import cached_property
from typing import Any

import dvc_s3

from tidegate.process import limits


class S3FileSystem(dvc_s3.S3FileSystem):  # type: ignore[misc]
    """DVC's own retries five times at each of two levels, 25 attempts in all; this class makes four."""

    def _prepare_credentials(self, **config: Any) -> dict[str, Any]:
        credentials: dict[str, Any] = super()._prepare_credentials(**config)
        retries = {"total_max_attempts": limits.STORE_ATTEMPTS}
        return {**credentials, "config_kwargs": {**credentials["config_kwargs"], "retries": retries}}

    @cached_property
    def fs(self) -> Any:
        """The underlying s3fs file system, with fewer retries of its own."""
        system = super().fs
        system.retries = limits.STORE_ATTEMPTS
        return system
