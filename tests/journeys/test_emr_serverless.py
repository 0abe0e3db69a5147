"""EMRServerless steps from the definition to the end, on an application that is there or one of their own."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from click.testing import CliRunner
from tests.conftest import Server
from tests.eventually import eventually
from tests.journeys.conftest import get
from tests.services.emr_serverless.conftest import SPARK_SECONDS, Workshop

from passrole.cli import main
from passrole.cli.server import status

Start = Callable[..., str]
PRINTS = "import sys\nprint('args', sys.argv[1:])\n"
FAILS = "raise ValueError('no rows')\n"
OF_ITS_OWN = {"type": "SPARK", "releaseLabel": "emr-7.1.0", "name": "own"}
STARTING = [
    "emr-serverless:StartJobRun",
    "iam:PassRole",
    "emr-serverless:GetJobRun",
]
MAKING = ["emr-serverless:CreateApplication", "emr-serverless:StartApplication", *STARTING]
REMOVING = ["emr-serverless:StopApplication", "emr-serverless:DeleteApplication"]


@pytest.fixture(scope="module")
def workshop(server: Server) -> Workshop:
    return Workshop(server)


def step(
    workshop: Workshop, source: str, *args: Any, application: str | None = None, submit: str = "", **more: Any
) -> dict[str, Any]:
    """A step as the SDK writes it; without an application it makes its own."""
    driver = {"entryPoint": workshop.script(source), "entryPointArguments": list(args)}
    if submit:
        driver["sparkSubmitParameters"] = submit
    job: dict[str, Any] = {"executionRoleArn": workshop.role, "jobDriver": {"sparkSubmit": driver}}
    arguments: dict[str, Any] = {"ExecutionRoleArn": workshop.role, "JobConfig": job}
    if application is None:
        arguments["ApplicationConfig"] = OF_ITS_OWN
    else:
        job["applicationId"] = arguments["ApplicationId"] = application
    return {"Name": "Job", "Type": "EMRServerless", "Arguments": arguments, **more}


def role_with(server: Server, actions: list[str]) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return server.role([{"Version": "2012-10-17", "Statement": [statement]}])


def denied(server: Server, role: str) -> set[str]:
    """The actions that the door refused to the role."""
    lines = (server.data / "audit.jsonl").read_text().splitlines()
    checks = [
        check
        for line in lines
        if f":assumed-role/{role.rpartition('/')[2]}/" in line
        for check in json.loads(line)["checks"]
    ]
    return {check["action"] for check in checks if not check["allowed"]}


def metadata(server: Server, execution: str, name: str = "Job") -> Mapping[str, str]:
    found: Mapping[str, str] = server.steps(execution)[name]["Metadata"]["EMRServerless"]
    return found


def test_steps_run_on_an_application_and_on_their_own_which_is_removed(
    workshop: Workshop, start: Start, spark: None
) -> None:
    server, application = workshop.server, workshop.application()
    first = step(workshop, PRINTS, "a", application=application)
    second = step(workshop, PRINTS, get("Steps.Job.jobRun.state"), Name="Own")
    role = role_with(server, [*MAKING, *REMOVING])
    execution = start([first, second], role=role)
    assert server.finished(execution, SPARK_SECONDS)["PipelineExecutionStatus"] == "Succeeded", server.steps(
        execution
    )
    known = metadata(server, execution)
    assert known["ApplicationId"] == application
    assert known["JobRunName"].startswith(f"pipelines-{execution.rpartition('/')[2]}-Job-")
    assert workshop.run(application, known["JobRunId"])["name"] == known["JobRunName"]
    assert workshop.state(application) == "STARTED"
    own = metadata(server, execution, "Own")
    assert workshop.state(own["ApplicationId"]) == "TERMINATED"
    run = workshop.run(own["ApplicationId"], own["JobRunId"])
    assert run["jobDriver"]["sparkSubmit"]["entryPointArguments"] == ["SUCCESS"]


def test_a_failure_is_told_with_its_reason_and_an_application_that_may_not_be_removed_stays(
    workshop: Workshop, start: Start, spark: None
) -> None:
    server = workshop.server
    execution = start([step(workshop, FAILS)], role=role_with(server, MAKING))
    assert server.finished(execution, SPARK_SECONDS)["PipelineExecutionStatus"] == "Failed"
    known = metadata(server, execution)
    assert server.steps(execution)["Job"]["FailureReason"] == (
        f"ClientError: EMR Serverless job run {known['JobRunId']} of application {known['ApplicationId']}"
        " ended in state FAILED. Reason: Job failed, please check complete logs in configured logging"
        " destination. ExitCode: 1. Last few exceptions: ValueError: no rows"
    )
    assert workshop.state(known["ApplicationId"]) == "STARTED"


@pytest.mark.parametrize("lacking", STARTING)
def test_a_permission_that_lacks_on_an_application_is_named(
    workshop: Workshop, start: Start, lacking: str
) -> None:
    server, application = workshop.server, workshop.application()
    role = role_with(server, [each for each in [*STARTING, "emr-serverless:CancelJobRun"] if each != lacking])
    execution = start([step(workshop, PRINTS, application=application)], role=role)
    assert server.finished(execution, SPARK_SECONDS)["PipelineExecutionStatus"] == "Failed"
    assert f"is not authorized to perform: {lacking}" in server.steps(execution)["Job"]["FailureReason"]
    runs = workshop.client.list_job_runs(applicationId=application)["jobRuns"]
    assert len(runs) == (1 if lacking == "emr-serverless:GetJobRun" else 0)


@pytest.mark.parametrize("lacking", MAKING[:3])
def test_a_permission_that_lacks_for_its_own_is_named_and_nothing_is_left(
    workshop: Workshop, start: Start, lacking: str
) -> None:
    server = workshop.server
    before = {each["id"] for each in workshop.client.list_applications()["applications"]}
    role = role_with(server, [each for each in [*MAKING, *REMOVING] if each != lacking])
    execution = start([step(workshop, PRINTS)], role=role)
    assert server.finished(execution, SPARK_SECONDS)["PipelineExecutionStatus"] == "Failed"
    assert f"is not authorized to perform: {lacking}" in server.steps(execution)["Job"]["FailureReason"]
    left = [each for each in workshop.client.list_applications()["applications"] if each["id"] not in before]
    assert left == []


def test_a_stopped_execution_cancels_its_job_run(workshop: Workshop, start: Start, spark: None) -> None:
    server, application = workshop.server, workshop.application()
    waits = step(workshop, "import time\ntime.sleep(600)\n", application=application)
    execution = start([waits], role=role_with(server, [*STARTING, "emr-serverless:CancelJobRun"]))
    eventually(lambda: server.steps(execution).get("Job", {}).get("Metadata"))
    run = metadata(server, execution)["JobRunId"]
    workshop.until(application, run, "RUNNING")
    server.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=execution)
    assert server.finished(execution, SPARK_SECONDS)["PipelineExecutionStatus"] == "Stopped"
    assert workshop.run(application, run)["state"] == "CANCELLED"


def test_a_stop_without_its_permission_is_named_and_the_job_run_goes_on(
    workshop: Workshop, start: Start, spark: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, application = workshop.server, workshop.application()
    waits = step(workshop, "import time\ntime.sleep(600)\n", application=application)
    execution = start([waits], role=role_with(server, STARTING))
    eventually(lambda: server.steps(execution).get("Job", {}).get("Metadata"))
    run = metadata(server, execution)["JobRunId"]
    workshop.until(application, run, "RUNNING")
    server.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=execution)
    assert server.finished(execution, SPARK_SECONDS)["PipelineExecutionStatus"] == "Stopped"
    assert (
        "is not authorized to perform: emr-serverless:CancelJobRun on resource:"
        f" arn:aws:emr-serverless:us-east-1:{server.account}:/applications/{application}/jobruns/{run} "
    ) in server.steps(execution)["Job"]["FailureReason"]
    assert workshop.run(application, run)["state"] == "RUNNING"
    monkeypatch.setattr(status, "_SHOWN_MAX", 1_000)  # the tests' server may run much else
    told = CliRunner().invoke(main, ["status", "--data", str(server.data)], prog_name="passrole").stdout
    assert f"job run {application}/{run}" in told.replace("\n", "")
    assert f"application {application}" in told
    workshop.client.cancel_job_run(applicationId=application, jobRunId=run)
    assert workshop.until(application, run)["state"] == "CANCELLED"


@pytest.mark.parametrize("lacking", REMOVING)
def test_an_application_stays_as_far_as_its_removal_is_denied(
    workshop: Workshop, start: Start, spark: None, lacking: str
) -> None:
    server = workshop.server
    role = role_with(server, [each for each in [*MAKING, *REMOVING] if each != lacking])
    execution = start([step(workshop, PRINTS, submit="--version")], role=role)
    assert server.finished(execution, SPARK_SECONDS)["PipelineExecutionStatus"] == "Succeeded"
    state = workshop.state(metadata(server, execution)["ApplicationId"])
    assert state == {"StopApplication": "STARTED", "DeleteApplication": "STOPPED"}[lacking.partition(":")[2]]
    assert lacking in denied(server, role)


@pytest.mark.parametrize("tagged", ["ApplicationConfig", "JobConfig"])
def test_tags_need_a_permission_of_their_own(workshop: Workshop, start: Start, tagged: str) -> None:
    server = workshop.server
    one = step(workshop, PRINTS)
    one["Arguments"][tagged] = {**one["Arguments"][tagged], "tags": {"team": "a"}}
    execution = start([one], role=role_with(server, [*MAKING, *REMOVING]))
    assert server.finished(execution, SPARK_SECONDS)["PipelineExecutionStatus"] == "Failed"
    reason = server.steps(execution)["Job"]["FailureReason"]
    assert "is not authorized to perform: emr-serverless:TagResource" in reason
