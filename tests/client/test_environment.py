"""The variables that lead a client to the server, and away from everywhere else."""

import shutil
import subprocess
from pathlib import Path

import pytest

from passrole.client.environment import Keys, merged, shell, variables
from passrole.https_names import Https

URL = "http://127.0.0.1:4566"
KEYS = Keys("AKIAEXAMPLE", "se'cr et$HOME")
VALUES = variables(URL, "us-east-1", KEYS)


def test_the_administrators_variables_hold_no_session_token() -> None:
    assert VALUES == {
        "AWS_ENDPOINT_URL": URL,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "se'cr et$HOME",
    }


def test_a_roles_variables_hold_its_session_token() -> None:
    assert variables(URL, "us-east-1", Keys("a", "b", "c"))["AWS_SESSION_TOKEN"] == "c"


def test_a_shell_reads_back_what_was_given_and_forgets_what_was_left_behind() -> None:
    script = (
        "export AWS_SESSION_TOKEN=old AWS_PROFILE=old\n"
        f"{shell(VALUES)}\n"
        'printf "%s|%s|%s" "$AWS_SECRET_ACCESS_KEY" "${AWS_SESSION_TOKEN-unset}" "${AWS_PROFILE-unset}"'
    )
    sh = shutil.which("sh")
    assert sh
    told = subprocess.run([sh, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told == "se'cr et$HOME|unset|unset"


def test_a_role_session_keeps_its_token_in_the_shell() -> None:
    lines = shell(variables(URL, "us-east-1", Keys("a", "b", "c"))).splitlines()
    assert "export AWS_SESSION_TOKEN=c" in lines
    assert lines[-1] == "unset AWS_PROFILE"


@pytest.mark.parametrize(
    "inherited, name, expected",
    [
        ({"HOME": "/home/ada"}, "HOME", "/home/ada"),
        ({"AWS_ACCESS_KEY_ID": "real"}, "AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ({"AWS_SESSION_TOKEN": "real"}, "AWS_SESSION_TOKEN", None),
        ({"AWS_PROFILE": "work"}, "AWS_PROFILE", None),
        ({"AWS_ENDPOINT_URL_SQS": "http://elsewhere"}, "AWS_ENDPOINT_URL_SQS", None),
        ({"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", None),
        ({"AWS_CA_BUNDLE": "/ca.pem"}, "AWS_CA_BUNDLE", "/ca.pem"),
        ({}, "NO_PROXY", None),
        ({"http_proxy": "http://proxy"}, "NO_PROXY", "127.0.0.1,localhost"),
        ({"HTTP_PROXY": "x", "no_proxy": "intra"}, "no_proxy", "intra,127.0.0.1,localhost"),
    ],
)
def test_a_command_inherits_what_does_not_lead_elsewhere(
    inherited: dict[str, str], name: str, expected: str | None
) -> None:
    assert merged(inherited, VALUES).get(name) == expected


HTTPS = Https("http://127.0.0.1:9", Path("/d/ca-bundle.pem"), Path("/d/ca.pem"), Path("/d/sdk.yaml"))


def test_aws_s_own_names_lead_through_the_proxy_with_certificates_to_trust() -> None:
    values = HTTPS.variables({})
    assert values["HTTPS_PROXY"] == values["https_proxy"] == "http://127.0.0.1:9"
    assert {values[name] for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")} == {
        "/d/ca-bundle.pem"
    }
    assert values["SAGEMAKER_USER_CONFIG_OVERRIDE"] == "/d/sdk.yaml"
    assert "http_proxy" not in values


def test_hosts_that_the_user_excepts_from_proxies_stay_excepted_once() -> None:
    values = HTTPS.variables({"no_proxy": "intra,localhost"})
    assert values["NO_PROXY"] == values["no_proxy"] == "intra,localhost,127.0.0.1"


def test_a_user_s_own_settings_of_the_sdk_are_left_to_him() -> None:
    ours = Https("http://127.0.0.1:9", Path("/d/ca-bundle.pem"), Path("/d/ca.pem"))
    assert "SAGEMAKER_USER_CONFIG_OVERRIDE" not in ours.variables({})
