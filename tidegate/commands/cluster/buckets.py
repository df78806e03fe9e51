"""Checks and creates the bucket of a DVC remote, because DVC treats a missing bucket as an empty one."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tidegate.process import limits
from tidegate.process.errors import InputError
from tidegate.versions.section import check_endpoint

Section = Mapping[str, str]
HOME = "us-east-1"  # the one region that may not be named when a bucket is made
PATHS = {"credentialpath": "credentials_file", "configpath": "config_file"}


def name(section: Section) -> str | None:
    """The bucket of a remote; None if it is not on S3."""
    parts = urlsplit(section.get("url", ""))
    return parts.netloc if parts.scheme == "s3" else None


def is_missing(section: Section) -> bool:
    """Whether the store answers that the bucket does not exist; False if it does not answer or denies access."""
    bucket = name(section)
    try:
        if bucket:
            _client(section).head_bucket(Bucket=bucket)
    except ClientError as error:
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] == 404)
    except BotoCoreError:
        pass
    return False


def make(section: Section) -> str:
    """Create the bucket unless it exists; returns what was done. InputError if that fails."""
    bucket = name(section)
    if bucket is None:
        raise InputError("--make-bucket", "a DVC remote on S3", section.get("url", "none"), "name one with --remote")
    if not is_missing(section):
        return f"bucket {bucket}: there already, or not to be seen"
    try:
        client = _client(section)
        region = client.meta.region_name
        place = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region != HOME else {}
        client.create_bucket(Bucket=bucket, **place)
    except (BotoCoreError, ClientError) as error:
        found = " ".join(str(error).split())
        raise InputError(f"bucket {bucket}", "to be made", found, "ask who runs the store") from None
    return f"bucket {bucket}: made"


def _client(section: Section) -> Any:
    """An S3 client with the settings of DVC: the remote's section, then the environment."""
    check_endpoint(section)
    session = botocore.session.Session(profile=section.get("profile"))
    for key in PATHS.keys() & section.keys():
        session.set_config_variable(PATHS[key], section[key])
    keys = {f"aws_{key}": section.get(key) for key in ("access_key_id", "secret_access_key", "session_token")}
    verify = section.get("ssl_verify", "true")
    return boto3.Session(botocore_session=session, **keys).client(
        "s3",
        endpoint_url=section.get("endpointurl"),
        region_name=section.get("region") or session.get_config_variable("region") or HOME,
        verify={"true": None, "false": False}.get(verify.lower(), verify),
        config=Config(
            connect_timeout=limits.STORE_CONNECT_SECONDS,
            read_timeout=limits.STORE_READ_SECONDS,
            retries={"total_max_attempts": limits.STORE_ATTEMPTS},
        ),
    )
