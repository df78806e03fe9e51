"""What a run may say about its remote: every setting that DVC knows is carried, secret or left out on purpose."""

import pytest
from dvc.config_schema import REMOTE_SCHEMAS

from tidegate.process.errors import InputError
from tidegate.versions.section import COMMON_SETTINGS, PUBLIC, SECRET, settings, split

# Links, cloud versioning and prompts mean nothing to a run; the last is not what DVC itself can read from a file.
meaningless = {"type", "worktree", "no_traverse", "version_aware", "verify", "protected", "slow_link_warning"} | {
    *("ask_password", "ask_passphrase", "listobjects", "cache_regions")
}


@pytest.mark.parametrize("kind", PUBLIC)
def test_every_setting_of_dvc_has_its_place(kind: str) -> None:
    known = {str(getattr(key, "schema", key)) for key in REMOTE_SCHEMAS[kind]}
    assert known == (PUBLIC[kind] | SECRET[kind] | COMMON_SETTINGS | (meaningless & known))
    assert not PUBLIC[kind] & SECRET[kind]


def test_a_url_alone_will_do() -> None:
    assert settings("/mnt/data=1") == {"url": "/mnt/data=1", "verify": "true"}
    assert settings(" s3://bucket/prefix\n")["url"] == "s3://bucket/prefix"


def test_the_text_the_secrets_and_our_patience_come_together() -> None:
    text, secrets = split(
        {
            "url": "s3://bucket/prefix",
            "endpointurl": "https://store:9000",
            "read_timeout": "60",
            "secret_access_key": "a=b#c",
            "verify": "false",
        }
    )
    assert text == "endpointurl = https://store:9000\nread_timeout = 60\nurl = s3://bucket/prefix\n"
    assert secrets == "secret_access_key = a=b#c\n"
    assert settings(text, secrets) == {
        "url": "s3://bucket/prefix",
        "endpointurl": "https://store:9000",
        "connect_timeout": "5",
        "read_timeout": "60",
        "secret_access_key": "a=b#c",
        "verify": "true",
    }


REFUSED = {
    "nothing": ("", "", "remote: url: expected a path, or one of s3://"),
    "another kind": ("https://host/x", "", "remote: url: expected a path, or one of s3://"),
    "no url": ("region = x", "", "remote: url: expected a path, or one of s3://"),
    "a secret": ("url = s3://b\nsecret_access_key = hunter2", "", "remote: expected no secrets, which belong in"),
    "a secret of another kind": ("url = /x\npassword = hunter2", "", "remote: expected settings of such a remote"),
    "what there is not": ("url = s3://b\nregoin = hunter2", "", "remote: expected settings of such a remote"),
    "a password in the url": ("url = ssh://u:hunter2@h/x", "", "remote: url: expected a URL without password"),
    "a key in the url": ("s3://hunter2@bucket/x", "", "remote: url: expected a URL without password"),
    "a signature": ("url = azure://c/x?sig=hunter2", "", "remote: url: expected a URL without password"),
    "a password in the endpoint": (
        "url=s3://b\nendpointurl=http://u:hunter2@h",
        "",
        "remote: endpointurl: expected a",
    ),
    "a line of something": ("url = s3://b\nhunter2", "", "remote: line 2: expected `key = value`"),
    "no secret": ("url = s3://b", "region = hunter2", "TIDEGATE_REMOTE_SECRETS: expected settings of such a remote"),
    "a broken secret": ("url = s3://b", "hunter2", "TIDEGATE_REMOTE_SECRETS: line 1: expected `key = value`"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_run_may_not_say_is_one_line_that_shows_no_value(case: str) -> None:
    text, secrets, told = REFUSED[case]
    with pytest.raises(InputError) as error:
        settings(text, secrets)
    line = str(error.value)
    assert line.startswith(told) and "hunter2" not in line and "\n" not in line
