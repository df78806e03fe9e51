"""S3 with few retries: a store that is away ends a step within seconds, not a quarter of an hour."""

import asyncio
from functools import cached_property
from typing import Any

import dvc_s3
import s3fs

from tidegate.process import limits
from tidegate.process.deadline import TICK, Patience

# botocore retries resets, time-outs and 5xx of one request; s3fs only what breaks off while it reads an answer.
RETRIES = {"total_max_attempts": limits.STORE_ATTEMPTS, "mode": "standard"}


class System(s3fs.S3FileSystem):  # type: ignore[misc]
    """The file system of s3fs; each request, with all its attempts, has a deadline that grows with what it sends."""

    retries = limits.STORE_ATTEMPTS

    async def _call_s3(self, *words: Any, **more: Any) -> Any:
        body = more.get("Body")
        size = len(body) if isinstance(body, bytes | bytearray | memoryview) else 0
        seconds = limits.STORE_REQUEST_SECONDS + size / limits.STORE_BYTES_PER_SECOND
        work = asyncio.ensure_future(super()._call_s3(*words, **more))
        patience = Patience(seconds)
        while not (await asyncio.wait({work}, timeout=TICK))[0]:
            if patience.is_over():
                work.cancel()
                raise ConnectionError(f"no answer in {seconds:g} s")  # not a time-out, which s3fs would repeat
        return work.result()


class S3FileSystem(dvc_s3.S3FileSystem):  # type: ignore[misc]
    """DVC's own, which retries five times at each of two levels, 25 attempts in all."""

    def _prepare_credentials(self, **config: Any) -> dict[str, Any]:
        credentials: dict[str, Any] = super()._prepare_credentials(**config)
        return {**credentials, "config_kwargs": {**credentials["config_kwargs"], "retries": RETRIES}}

    @cached_property
    def fs(self) -> Any:
        """The underlying file system."""
        system = System(**self.fs_args)
        system.connect()
        return system
