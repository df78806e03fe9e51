"""Where the new rows of a table come from: the `source` of a table in contract.yaml."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tidegate.documents.schema import Fault, hint
from tidegate.process.redaction import holds_secret
from tidegate.process.transport import is_encrypted

ENDINGS = (".csv", ".csv.gz", ".csv.zst", ".parquet")
KINDS: Mapping[str, set[str]] = {
    "files": {"token", "insecure"},
    "s3": {"endpoint", "region", "profile", "insecure"},
    "postgres": {"query", "watermark", "overlap", "insecure"},
}


@dataclass(frozen=True)
class Source:
    """Files (a URL or a path, with wildcards), the files below an S3 prefix, or a query to Postgres.

    `postgres` and `token` are names of environment variables; `overlap` is a duration such as `1h`.
    `insecure` allows to send credentials to this source without encryption.
    """

    files: str | None = None
    s3: str | None = None
    postgres: str | None = None
    token: str | None = None
    endpoint: str | None = None
    region: str | None = None
    profile: str | None = None
    query: str | None = None
    watermark: str | None = None
    overlap: str | None = None
    insecure: bool | None = None


def source_faults(source: Source, files: str, time: str | None, timestamps: Collection[str]) -> Iterator[Fault]:
    """The faults of a source, given its table's glob, time and timestamp columns; no message contains a secret."""
    document = {key: value for key, value in asdict(source).items() if value is not None}
    chosen = [kind for kind in KINDS if kind in document]
    if len(chosen) != 1:
        yield Fault((), f"one of {', '.join(KINDS)}", " and ".join(chosen) or "none")
        return
    for key in sorted(document.keys() - {*chosen, *KINDS[chosen[0]]}):
        yield Fault((key,), f"one of {', '.join([*chosen, *sorted(KINDS[chosen[0]])])}", repr(key), at_key=True)
    for key in ("postgres", "token"):
        if not re.fullmatch(r"[A-Za-z_]\w*", str(document.get(key, "A")), re.ASCII):
            yield Fault((key,), "the name of an environment variable", "another text")
    for key in ("files", "s3", "endpoint"):
        if holds_secret(str(document.get(key, ""))):
            yield Fault((key,), "no secret (set it in the environment)", "one")
    for key in ("files", "endpoint"):
        if (key != "files" or source.token) and not source.insecure and not is_encrypted(str(document.get(key, ""))):
            yield Fault((key,), "https, because credentials are sent (or `insecure: true`)", "http")
    if not str(document.get("s3", "s3://")).startswith("s3://"):
        yield Fault(("s3",), "a prefix such as s3://bucket/orders/", "another text")
    if "://" in str(source.files) and not str(source.files).startswith(("http://", "https://")):
        yield Fault(("files",), "a path, or a URL that begins with http:// or https://", "another scheme")
    if "postgres" in document:
        yield from _query_faults(document, timestamps)
    if not files.endswith(ENDINGS) or files.count("*") > 1 or re.search(r"[?\[]", files):
        yield Fault((), f"a table whose `files` have at most one * and end in {', '.join(ENDINGS)}", repr(files))
    elif "*" in files and not time:
        yield Fault((), "a table with a time column, from which new files get their names", "none")


def _query_faults(document: Mapping[str, Any], timestamps: Collection[str]) -> Iterator[Fault]:
    query, watermark = document.get("query", ""), document.get("watermark")
    if not query.strip():
        yield Fault((), "a query", "none")
    if watermark is not None and watermark not in timestamps:
        yield Fault(("watermark",), f"a timestamp ({', '.join(timestamps)})", hint(watermark, list(timestamps)))
    if (watermark is not None) != ("%(watermark)s" in query):
        yield Fault((), "both `watermark` and %(watermark)s in the query, or neither", "one of them")
