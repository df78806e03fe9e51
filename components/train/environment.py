"""What the bytes of a model depend on beside data, code and recipe: packages, their lock, Python, CPU, BLAS."""

import platform
from email.message import Message
from email.parser import HeaderParser
from hashlib import sha256
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from tidegate.documents.record import Environment
from tidegate.process.code import LOCK
from tidegate.process.wheel import packed, version

CPUINFO = Path("/proc/cpuinfo")


def environment() -> Environment:
    """Where a training ran; `lock` and `wheel` are the SHA-256 of what this version of Tidegate is made of."""
    return Environment(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        cpu=_cpu(),
        blas=_blas(),
        lock=sha256(LOCK.read_bytes()).hexdigest(),
        tidegate=version(),
        wheel=packed().digest,
    )


def packages() -> dict[str, str]:
    """The version of every installed package, by its name."""
    headers = reversed([_header(installed) for installed in distributions()])  # of two, the first is imported
    versions = {header["Name"].lower().replace("_", "-"): header["Version"] for header in headers if header}
    return dict(sorted(versions.items()))


def _header(installed: Distribution) -> "Message[str, str]":
    """What a package says of itself, without the long description that `metadata` parses for each question."""
    text = installed.read_text("METADATA") or installed.read_text("PKG-INFO") or ""
    return HeaderParser().parsestr(text.partition("\n\n")[0])


def _cpu() -> str:
    lines = CPUINFO.read_text(encoding="utf-8").splitlines() if CPUINFO.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _blas() -> str:
    """The libraries of linear algebra with the kind of processor they chose their code for."""
    from threadpoolctl import threadpool_info

    libraries: list[dict[str, Any]] = [item for item in threadpool_info() if item["user_api"] == "blas"]
    names = {f"{item['internal_api']} {item['version']} {item.get('architecture', '')}".strip() for item in libraries}
    return ", ".join(sorted(names)) or "none"
