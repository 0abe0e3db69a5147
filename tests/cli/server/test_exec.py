"""A command with a server around it."""

import fcntl
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Server

from passrole import server_file
from passrole.client import server_process
from passrole.config import Config

Passrole = Callable[..., "subprocess.Popen[str]"]
Quiet = Callable[[str], str]
WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
WAITS = (
    "import pathlib, signal, sys, time;"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5));"
    "pathlib.Path(sys.argv[1]).touch();"
    "time.sleep(60)"
)


def test_a_command_reaches_a_server_of_its_own_that_ends_with_it(
    passrole: Passrole, quiet: Quiet, tmp_path: Path
) -> None:
    process = passrole(
        "exec", "--data", str(tmp_path), "--", sys.executable, "-c", WHO, env={"AWS_PROFILE": "not-there"}
    )
    told, errors = process.communicate(timeout=60)
    assert quiet(errors) == ""
    assert ":user/" in told
    assert process.returncode == 0
    assert server_file.url(Config(data=tmp_path)) is None
    assert list(tmp_path.glob("*.log")) == []


MAPPED = """
import boto3, json, time
iam, sagemaker = boto3.client("iam"), boto3.client("sagemaker")
trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
role = iam.create_role(RoleName="jobs", AssumeRolePolicyDocument=document)["Role"]["Arn"]
machine = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
for number, image in enumerate(["x/mine:1", "x/other:1"]):
    name = f"mapped-{number}"
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=role,
        AppSpecification={"ImageUri": image},
        ProcessingResources={"ClusterConfig": machine},
    )
    status = "InProgress"
    while status == "InProgress":
        time.sleep(0.1)
        job = sagemaker.describe_processing_job(ProcessingJobName=name)
        status = job["ProcessingJobStatus"]
    print(status, job.get("FailureReason", ""))
"""


def test_what_stands_for_an_image_reaches_the_server_that_is_started(
    passrole: Passrole, tmp_path: Path
) -> None:
    rule, none = "--image=*/mine:*=command:/bin/sh -c 'exit 0'", "--containers=none"
    command = ("--", sys.executable, "-c", MAPPED)
    told, errors = passrole("exec", "--data", str(tmp_path), rule, none, *command).communicate(timeout=60)
    lines = told.splitlines()
    if "programs of users cannot be confined" in told:
        pytest.skip(lines[0])
    assert lines[0].strip() == "Completed", (told, errors)
    assert lines[1].startswith("Failed ClientError: the image x/other:1 has a program of its own")


def test_a_rule_that_is_none_is_misuse(passrole: Passrole, tmp_path: Path) -> None:
    process = passrole("exec", "--data", str(tmp_path), "--image", "mine", "--", "true")
    assert "--image is `mine`; use GLOB=python:ENVIRONMENT" in process.communicate(timeout=60)[1]
    assert process.returncode == 2


def test_a_client_that_insists_on_an_aws_name_reaches_it_too(passrole: Passrole, server: Server) -> None:
    insisting = WHO.replace("'sts'", "'sts', endpoint_url='https://sts.us-east-1.amazonaws.com'")
    process = passrole("exec", "--data", str(server.data), "--", sys.executable, "-c", insisting)
    assert process.communicate(timeout=60) == (
        f"arn:aws:iam::{server.account}:user/{server.access['user']}\n",
        "",
    )


def test_a_command_reaches_the_server_that_runs_as_the_role_it_asks_for(
    passrole: Passrole, server: Server
) -> None:
    role = server.access["role_name"]
    process = passrole("exec", "--data", str(server.data), "--role", role, "--", sys.executable, "-c", WHO)
    assert process.communicate(timeout=60)[0].strip().endswith(f":assumed-role/{role}/SageMaker")
    assert server.process.poll() is None


@pytest.mark.parametrize(
    "command, code", [(("sh", "-c", "exit 9"), 9), (("no-such-command",), 127)], ids=["exits", "missing"]
)
def test_the_exit_code_is_the_commands(
    passrole: Passrole, server: Server, command: tuple[str, ...], code: int
) -> None:
    process = passrole("exec", "--data", str(server.data), "--", *command)
    process.communicate(timeout=60)
    assert process.returncode == code


def test_sigterm_goes_to_the_command_and_then_the_server_ends(passrole: Passrole, tmp_path: Path) -> None:
    ready, data = tmp_path / "ready", tmp_path / "data"
    process = passrole("exec", "--data", str(data), "--", sys.executable, "-c", WAITS, str(ready))
    until = time.monotonic() + 30
    while not ready.exists() and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 5
    assert server_file.url(Config(data=data)) is None


def test_two_at_once_on_a_new_folder_share_one_server(passrole: Passrole, tmp_path: Path) -> None:
    pause = f"import time; {WHO}; time.sleep(2)"
    both = [passrole("exec", "--data", str(tmp_path), "--", sys.executable, "-c", pause) for _ in range(2)]
    told = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert told[0] == told[1] != ""


def test_a_folder_whose_server_is_just_ending_gets_the_next_one(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        threading.Timer(1, fcntl.flock, (lock, fcntl.LOCK_UN)).start()
        with server_process.running_server(Config(data=tmp_path)) as (url, temporary):
            assert server_file.url(Config(data=tmp_path)) == url
            assert temporary


def test_a_server_that_cannot_start_says_why_in_one_line(
    passrole: Passrole, quiet: Quiet, tmp_path: Path
) -> None:
    wrong = {"PASSROLE_SHARED_PATHS": "/nowhere"}  # only the server looks at this one
    process = passrole("exec", "--data", str(tmp_path), "--", "true", env=wrong)
    _, errors = process.communicate(timeout=60)
    assert quiet(errors) == (
        "passrole exec: setting `shared_paths` names `/nowhere`, which does not exist: make it first\n"
    )
    assert process.returncode == 2
