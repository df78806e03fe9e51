"""A DVC remote as a parameter of a run: its section of the DVC config as text; secrets come from the environment."""

import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from tidegate.process import limits
from tidegate.process.errors import InputError
from tidegate.process.redaction import secret
from tidegate.process.transport import check_encrypted

VARIABLE = "TIDEGATE_REMOTE_SECRETS"
COMMON_SETTINGS = {"url", "jobs", "checksum_jobs"}
PUBLIC: Mapping[str, set[str]] = {
    "": {"shared"},
    "s3": {
        *("region", "endpointurl", "profile", "credentialpath", "configpath", "use_ssl", "ssl_verify"),
        *("allow_anonymous_login", "connect_timeout", "read_timeout", "sse", "sse_kms_key_id"),
        *("sse_customer_algorithm", "acl", "grant_read", "grant_read_acp", "grant_write_acp", "grant_full_control"),
    },
    "gs": {"projectname", "credentialpath", "endpointurl", "allow_anonymous_login"},
    "azure": {
        *("account_name", "tenant_id", "client_id", "allow_anonymous_login", "timeout", "read_timeout"),
        *("connection_timeout", "exclude_environment_credential", "exclude_managed_identity_credential"),
        *("exclude_shared_token_cache_credential", "exclude_visual_studio_code_credential"),
    },
    "ssh": {"port", "user", "keyfile", "timeout", "gss_auth", "allow_agent", "max_sessions"},
}
SECRET: Mapping[str, set[str]] = {
    "": set(),
    "s3": {"access_key_id", "secret_access_key", "session_token", "sse_customer_key"},
    "gs": set(),
    "azure": {"connection_string", "sas_token", "account_key", "client_secret"},
    "ssh": {"password", "passphrase"},
}
# Of one attempt; DVC makes several.
TIMEOUTS: Mapping[str, Mapping[str, str]] = {
    "s3": {"connect_timeout": str(limits.STORE_CONNECT_SECONDS), "read_timeout": str(limits.STORE_READ_SECONDS)},
    "azure": {"connection_timeout": str(limits.STORE_CONNECT_SECONDS), "read_timeout": str(limits.STORE_READ_SECONDS)},
}
NAME = "remote"
ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


def settings(remote: str, secrets: str = "") -> dict[str, str]:
    """The section for DVC, from its text (or only a URL) and the secrets as lines; downloads are verified.

    InputError for a secret in the text, and for an unknown setting; no message contains a value.
    """
    public = _lines(remote, NAME) if re.match(r"\s*\w+\s*=", remote) else {"url": remote.strip()}
    kind = kind_of(public.get("url", ""))
    hidden = _lines(secrets, VARIABLE)
    if secret_keys := sorted(public.keys() & SECRET[kind]):
        raise InputError(NAME, f"no secrets, which belong in {VARIABLE}", secret_keys[0], "move it there")
    for thing, keys, allowed in ((NAME, public, PUBLIC[kind] | COMMON_SETTINGS), (VARIABLE, hidden, SECRET[kind])):
        if unknown := sorted(set(keys) - allowed):
            expected = f"settings of such a remote ({', '.join(sorted(allowed)) or 'none'})"
            raise InputError(thing, expected, unknown[0], "take it out")
    for key, value in public.items():
        _refuse_secret_in_url(key, value, user=kind == "ssh")
    check_endpoint({**public, **hidden})
    return {**TIMEOUTS.get(kind, {}), **public, **hidden, "verify": "true"}


def check_endpoint(section: Mapping[str, str]) -> None:
    """InputError if the credentials of a remote could be read on their way to it.

    `use_ssl = false`, which DVC has for S3, allows it for this remote.
    """
    if section.get("use_ssl", "").lower() == "false" or section.get("allow_anonymous_login", "").lower() == "true":
        return
    cure = "set `use_ssl = false` of the remote" if kind_of(section["url"]) == "s3" else ""
    for thing, url in _endpoints(section):
        check_encrypted(thing, url, cure)


def split(section: Mapping[str, str]) -> tuple[str, str]:
    """A section of the DVC config as two texts: the public settings, and the secrets for the environment."""
    kind = kind_of(section.get("url", ""))
    texts = []
    for keys in (PUBLIC[kind] | COMMON_SETTINGS, SECRET[kind]):
        texts.append("".join(f"{key} = {section[key]}\n" for key in sorted(keys & section.keys())))
    return texts[0], texts[1]


def kind_of(url: str) -> str:
    """The scheme of a remote, which determines its settings; empty for a path. InputError for an unknown scheme."""
    scheme, _, rest = url.partition("://")
    kind = scheme if rest else ""
    if not url or kind not in PUBLIC:
        kinds = ", ".join(f"{scheme}://" for scheme in PUBLIC if scheme)
        found = f"{kind}://" if url else "nothing"
        raise InputError(f"{NAME}: url", f"a path, or one of {kinds}", found, "name where the data is kept")
    return kind


def _endpoints(section: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Where a remote is, as far as it is not the provider's own https: the setting or the variable, and the URL."""
    kind = kind_of(section["url"])
    urls = {f"{NAME}: endpointurl": section.get("endpointurl", "")}
    if kind == "s3" and not section.get("endpointurl"):
        urls |= {name: os.environ.get(name, "") for name in ENDPOINT_VARIABLES}
    if kind == "azure":
        texts = section.get("connection_string") or secret("AZURE_STORAGE_CONNECTION_STRING") or ""
        fields = dict(part.split("=", 1) for part in texts.split(";") if "=" in part)
        urls["AZURE_STORAGE_CONNECTION_STRING"] = fields.get("BlobEndpoint") or (
            f"{fields.get('DefaultEndpointsProtocol', 'https')}://{fields.get('AccountName')}.blob.core.windows.net"
        )
    return ((thing, url) for thing, url in urls.items() if url)


def _lines(text: str, thing: str) -> dict[str, str]:
    values = {}
    for number, line in enumerate(text.splitlines(), start=1):
        key, equals, value = line.partition("=")
        if line.strip() and not (equals and key.strip() and value.strip()):
            raise InputError(f"{thing}: line {number}", "`key = value`", "another line", "write it so")
        if line.strip():
            values[key.strip().lower()] = value.strip()
    return values


def _refuse_secret_in_url(key: str, value: str, user: bool) -> None:
    if "://" not in value:
        return
    parts = urlsplit(value)
    if parts.password is not None or parts.query or parts.fragment or (parts.username is not None and not user):
        raise InputError(f"{NAME}: {key}", "a URL without password or query", "one with", f"use {VARIABLE}")
