"""AWS's own https names lead a job's program to passrole, as they do what `passrole exec` runs."""

import json
import textwrap
from typing import Any

import pytest
from tests.services.sagemaker.jobs.workshop import Workshop

ASKS = """
    import os, boto3, requests
    sts = boto3.client("sts", endpoint_url="https://sts.eu-west-1.amazonaws.com")
    print("who", sts.get_caller_identity()["Arn"])
    answer = requests.get("https://s3.us-east-1.amazonaws.com/", timeout=30)
    print("plain", answer.status_code, "AccessDenied" in answer.text)
"""
TELLS = """
    import json, os
    names = ("HTTPS_PROXY", "https_proxy", "AWS_CA_BUNDLE", "SAGEMAKER_USER_CONFIG_OVERRIDE")
    print("told", json.dumps({name: os.environ.get(name) for name in names}))
"""


def _ran(workshop: Workshop, code: str, **changes: Any) -> list[str]:
    """What a training job printed that runs the code, and succeeded."""
    workshop.put(asked__code=textwrap.dedent(code))
    job = workshop.train("python /opt/ml/input/data/code/code", {"code": "asked/"}, **changes)
    lines = workshop.log("Training", job["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed", lines
    return lines


def _line(lines: list[str], word: str) -> str:
    return next(line for line in lines if line.startswith(f"{word} ")).partition(" ")[2]


@pytest.mark.usefixtures("sandboxed")
def test_a_program_that_names_aws_by_https_reaches_the_server_as_its_role(workshop: Workshop) -> None:
    lines = _ran(workshop, ASKS)
    role = workshop.role.rpartition("/")[2]
    assert f":assumed-role/{role}/" in _line(lines, "who")
    assert _line(lines, "plain") == "403 True"  # who does not sign is refused, and by passrole


def _told(workshop: Workshop, **changes: Any) -> dict[str, str | None]:
    found: dict[str, str | None] = json.loads(_line(_ran(workshop, TELLS, **changes), "told"))
    return found


@pytest.mark.usefixtures("sandboxed")
def test_a_job_has_the_proxy_unless_its_request_names_another_or_it_has_no_network(
    workshop: Workshop,
) -> None:
    told = _told(workshop)
    assert all(told.values())
    assert str(told["HTTPS_PROXY"]).partition("@")[2].startswith("127.0.0.1:")
    own = _told(workshop, Environment={"HTTPS_PROXY": "http://proxy.example:3128"})
    assert (own["HTTPS_PROXY"], own["https_proxy"]) == ("http://proxy.example:3128", None)
    assert not any(_told(workshop, EnableNetworkIsolation=True).values())
