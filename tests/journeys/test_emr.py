"""EMR steps from the definition to the end: on a cluster that is there and on one of their own.

Most jobs are lines of shell, which start at once; test_emr_spark.py runs Spark.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.eventually import eventually
from tests.journeys.conftest import get
from tests.services.emr.conftest import Fleet, allowed
from tests.services.events.conftest import Workshop

Start = Callable[..., str]
STEP_RULE = "SageMakerPipelineExecutionEMRStepStatusUpdateRule"
CLUSTER_RULE = "SageMakerPipelineExecutionEMRClusterStatusUpdateRule"


@pytest.fixture
def fleet(server: Server) -> Iterator[Fleet]:
    fleet = Fleet(server)
    yield fleet
    fleet.end()


def shell(script: str) -> dict[str, Any]:
    return {"HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["bash", "-c", script]}}


def on_a_cluster(cluster: str, script: str, name: str = "Job", **more: Any) -> dict[str, Any]:
    arguments = {"ClusterId": cluster, "StepConfig": shell(script), **more}
    return {"Name": name, "Type": "EMR", "Arguments": arguments}


def with_its_own(fleet: Fleet, script: str, name: str = "Job", **more: Any) -> dict[str, Any]:
    config = {
        "Instances": {
            "InstanceGroups": [
                {"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1, "Name": "Master"}
            ]
        },
        "ReleaseLabel": "emr-6.6.0",
        "Applications": [{"Name": "Spark"}],
        "JobFlowRole": fleet.profile,
        "ServiceRole": fleet.service_role,
        **more,
    }
    arguments = {"ClusterConfig": config, "StepConfig": shell(script)}
    return {"Name": name, "Type": "EMR", "Arguments": arguments}


def metadata(server: Server, execution: str, step: str = "Job") -> dict[str, str]:
    found: dict[str, str] = server.steps(execution)[step]["Metadata"]["EMR"]
    return found


def test_a_step_on_a_cluster_succeeds_and_the_next_one_reads_its_properties(
    fleet: Fleet, start: Start, tmp_path: Path
) -> None:
    server, told = fleet.server, tmp_path / "told"
    cluster = fleet.run()
    function = server.function("sagemaker-emr-echo", "def handler(event, context):\n    return event\n")
    given = {
        "cluster": get("Steps.Job.ClusterId"),
        "id": get("Steps.Job.Id"),
        "script": get("Steps.Job.Config.Args[2]"),
        "state": get("Steps.Job.Status.State"),
    }
    declared = [{"OutputName": name, "OutputType": "String"} for name in given]
    read = {
        "Name": "Read",
        "Type": "Lambda",
        "FunctionArn": function,
        "Arguments": given,
        "OutputParameters": declared,
    }
    job = on_a_cluster(cluster, f"echo ran > {told}")
    job["Arguments"]["ClusterId"] = get("Parameters.Cluster")
    parameter = {"Name": "Cluster", "Type": "String"}
    execution = start([job, read], parameters=[parameter], given=[{"Name": "Cluster", "Value": cluster}])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded", server.steps(execution)
    assert told.read_text() == "ran\n"
    known = metadata(server, execution)
    assert known["ClusterId"] == cluster
    assert known["StepName"].startswith(f"pipelines-{execution.rpartition('/')[2]}-Job-")
    step = fleet.client.describe_step(ClusterId=cluster, StepId=known["StepId"])["Step"]
    assert (step["Name"], step["ActionOnFailure"]) == (known["StepName"], "CONTINUE")
    outputs = server.steps(execution)["Read"]["Metadata"]["Lambda"]["OutputParameters"]
    assert {each["Name"]: each["Value"] for each in outputs} == {
        "cluster": cluster,
        "id": known["StepId"],
        "script": f"echo ran > {told}",
        "state": "COMPLETED",
    }
    events = server.client("events")
    rule = events.describe_rule(Name=STEP_RULE)
    assert json.loads(rule["EventPattern"])["detail-type"] == ["EMR Step Status Change"]
    (target,) = events.list_targets_by_rule(Rule=STEP_RULE)["Targets"]
    assert target["Arn"].endswith(":pipeline-execution-event")


def test_a_step_with_a_cluster_of_its_own_makes_it_and_ends_it(fleet: Fleet, start: Start) -> None:
    server = fleet.server
    execution = start([with_its_own(fleet, "true")])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded", server.steps(execution)
    known = metadata(server, execution)
    cluster = fleet.client.describe_cluster(ClusterId=known["ClusterId"])["Cluster"]
    assert cluster["Status"]["State"] == "TERMINATED"
    assert cluster["Status"]["StateChangeReason"]["Code"] == "ALL_STEPS_COMPLETED"
    assert cluster["Name"] == known["StepName"]
    (step,) = fleet.client.list_steps(ClusterId=known["ClusterId"])["Steps"]
    assert (step["Id"], step["Status"]["State"]) == (known["StepId"], "COMPLETED")
    assert server.client("events").describe_rule(Name=CLUSTER_RULE)["State"] == "ENABLED"


def test_a_failure_is_told_with_its_reason_and_its_log(fleet: Fleet, start: Start) -> None:
    server = fleet.server
    server.client("s3").create_bucket(Bucket="emr-journey-logs")
    cluster = fleet.run(LogUri="s3://emr-journey-logs/")
    execution = start([on_a_cluster(cluster, "echo 'ValueError: no rows' >&2; exit 1")])
    described = server.finished(execution)
    assert described["PipelineExecutionStatus"] == "Failed"
    assert described["FailureReason"] == "Step failure: One or multiple steps failed."
    known, reason = metadata(server, execution), server.steps(execution)["Job"]["FailureReason"]
    where = f"s3://emr-journey-logs/{cluster}/steps/{known['StepId']}/stderr.gz"
    assert known["LogFilePath"] == where
    assert reason == (
        f"ClientError: EMR step {known['StepId']} on cluster {cluster} ended in state FAILED."
        f" Reason: ValueError: no rows. Message: ValueError: no rows. Log file: {where}."
    )
    assert fleet.state(cluster) == "WAITING"


def test_a_failure_on_a_cluster_of_its_own_tells_of_both(fleet: Fleet, start: Start) -> None:
    server = fleet.server
    execution = start([with_its_own(fleet, "echo 'ValueError: no rows' >&2; exit 1")])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    known, reason = metadata(server, execution), server.steps(execution)["Job"]["FailureReason"]
    assert reason == (
        f"ClientError: EMR cluster {known['ClusterId']} ended in state TERMINATED_WITH_ERRORS."
        " Reason: STEP_FAILURE: Shut down as step failed. Reason: ValueError: no rows."
        " Message: ValueError: no rows."
    )


def running(server: Server, execution: str, fleet: Fleet) -> tuple[str, str]:
    """Cluster and EMR step of the step `Job`, once that runs."""

    def look() -> Any:
        step = server.steps(execution).get("Job", {})
        known = step.get("Metadata", {}).get("EMR")
        return known and fleet.status(known["ClusterId"], known["StepId"])["State"] == "RUNNING" and known

    known = eventually(look)
    return known["ClusterId"], known["StepId"]


def test_stopping_an_execution_cancels_the_step_and_waits_for_it(fleet: Fleet, start: Start) -> None:
    server, cluster = fleet.server, fleet.run()
    execution = start([on_a_cluster(cluster, "sleep 60")])
    _, step = running(server, execution, fleet)
    server.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=execution)
    assert server.finished(execution)["PipelineExecutionStatus"] == "Stopped"
    assert server.steps(execution)["Job"]["StepStatus"] == "Stopped"
    assert fleet.status(cluster, step)["State"] == "CANCELLED"
    assert fleet.state(cluster) == "WAITING"


def test_stopping_an_execution_terminates_a_cluster_that_was_made_for_it(fleet: Fleet, start: Start) -> None:
    server = fleet.server
    execution = start([with_its_own(fleet, "sleep 60")])
    cluster, step = running(server, execution, fleet)
    server.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=execution)
    assert server.finished(execution)["PipelineExecutionStatus"] == "Stopped"
    assert fleet.state(cluster) == "TERMINATED"
    assert fleet.status(cluster, step)["State"] == "INTERRUPTED"


def test_a_step_that_somebody_else_cancels_has_failed(fleet: Fleet, start: Start) -> None:
    server, cluster = fleet.server, fleet.run()
    execution = start([on_a_cluster(cluster, "sleep 60")])
    _, step = running(server, execution, fleet)
    fleet.client.cancel_steps(ClusterId=cluster, StepIds=[step])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    assert "ended in state CANCELLED" in server.steps(execution)["Job"]["FailureReason"]


def test_a_cluster_that_somebody_else_terminates_fails_the_step(fleet: Fleet, start: Start) -> None:
    server, cluster = fleet.server, fleet.run()
    execution = start([on_a_cluster(cluster, "sleep 60")])
    running(server, execution, fleet)
    fleet.client.terminate_job_flows(JobFlowIds=[cluster])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    assert "ended in state INTERRUPTED" in server.steps(execution)["Job"]["FailureReason"]


def test_a_cluster_that_is_not_there_fails_the_step_in_emrs_words(fleet: Fleet, start: Start) -> None:
    execution = start([on_a_cluster("j-NOSUCHCLUSTER", "true")])
    assert fleet.server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    reason = fleet.server.steps(execution)["Job"]["FailureReason"]
    assert reason == (
        "ClientError: Failed to invoke elasticmapreduce:AddJobFlowSteps. Error Details: Specified job flow ID"
        " not valid."
    )
    assert fleet.server.steps(execution)["Job"]["Metadata"] == {}


def test_a_retry_runs_the_step_again_under_another_name(fleet: Fleet, start: Start, tmp_path: Path) -> None:
    server, cluster, mark = fleet.server, fleet.run(), tmp_path / "mark"
    execution = start([on_a_cluster(cluster, f"test -e {mark} || (touch {mark}; exit 1)")])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    first = metadata(server, execution)
    server.client("sagemaker").retry_pipeline_execution(PipelineExecutionArn=execution)
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    second = metadata(server, execution)
    assert first["StepName"] != second["StepName"]
    assert server.steps(execution)["Job"]["AttemptCount"] == 2


def test_a_rule_that_was_deleted_does_not_hang_the_execution(
    fleet: Fleet, start: Start, tmp_path: Path
) -> None:
    """The next look sees what no event has told: here the one after a restart."""
    server, cluster = fleet.server, fleet.run()
    execution = start([on_a_cluster(cluster, f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done")])
    _, step = running(server, execution, fleet)
    events, workshop = server.client("events"), Workshop(server)
    queue_url, queue = workshop.queue()
    ends = {"source": ["aws.emr"], "detail": {"stepId": [step], "state": ["COMPLETED"]}}
    workshop.leads_to(workshop.rule(ends), queue)
    events.disable_rule(Name=STEP_RULE)
    try:
        (tmp_path / "go").touch()
        fleet.step_until(cluster, step, "COMPLETED")
        assert len(workshop.received(queue_url)) == 1  # all rules have been asked about the event
        assert server.steps(execution)["Job"]["StepStatus"] == "Executing"
        server.stop()
        server.start()
        assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    finally:
        events.enable_rule(Name=STEP_RULE)


@pytest.mark.parametrize("own_cluster", [False, True], ids=["a-cluster", "its-own-cluster"])
def test_a_killed_server_runs_nothing_twice(
    start_server: Callable[..., Server], tmp_path: Path, own_cluster: bool
) -> None:
    server = start_server()
    fleet, told = Fleet(server), tmp_path / "told"
    script = f"echo begun >> {told}; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; echo ended >> {told}"
    step = with_its_own(fleet, script) if own_cluster else on_a_cluster(fleet.run(), script)
    sagemaker = server.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName="killed",
        RoleArn=server.access["role_arn"],
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [step]}),
    )
    execution = sagemaker.start_pipeline_execution(PipelineName="killed")["PipelineExecutionArn"]
    eventually(told.exists)
    server.kill()
    server.start()
    (tmp_path / "go").touch()
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    assert told.read_text().splitlines() == ["begun", "ended"]


def test_pipelines_tell_of_themselves(fleet: Fleet, start: Start) -> None:
    server, cluster = fleet.server, fleet.run()
    events, sqs = server.client("events"), server.client("sqs")
    url = sqs.create_queue(QueueName="pipeline-events")["QueueUrl"]
    arn = f"arn:aws:sqs:{server.region}:{server.account}:pipeline-events"
    policy = allowed(["sqs:SendMessage"], arn)
    policy["Statement"][0]["Principal"] = {"Service": "events.amazonaws.com"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    events.put_rule(Name="pipeline-events", EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
    events.put_targets(Rule="pipeline-events", Targets=[{"Id": "q", "Arn": arn}])
    execution = start([on_a_cluster(cluster, "true")], name="TellsOfItself")
    server.finished(execution)
    seen: list[Mapping[str, Any]] = []

    def all_told() -> bool:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
            "Messages", ()
        ):
            event = json.loads(message["Body"])
            if event["detail"]["pipelineExecutionArn"] == execution:
                seen.append(event)
        return len(seen) >= 5

    eventually(all_told)
    events.remove_targets(Rule="pipeline-events", Ids=["q"])
    events.delete_rule(Name="pipeline-events")
    kind = "SageMaker Model Building Pipeline Execution"
    told = {
        (
            event["detail-type"],
            event["detail"].get("previousPipelineExecutionStatus", event["detail"].get("previousStepStatus")),
            event["detail"].get("currentPipelineExecutionStatus", event["detail"].get("currentStepStatus")),
        )
        for event in seen
    }
    assert told == {
        (f"{kind} Status Change", None, "Executing"),
        (f"{kind} Step Status Change", None, "Starting"),
        (f"{kind} Step Status Change", "Starting", "Executing"),
        (f"{kind} Step Status Change", "Executing", "Succeeded"),
        (f"{kind} Status Change", "Executing", "Succeeded"),
    }
    (step,) = [event for event in seen if event["detail"].get("currentStepStatus") == "Succeeded"]
    assert (step["detail"]["stepName"], step["detail"]["stepType"]) == ("Job", "EMR")
    assert step["detail"]["metadata"]["emr"]["clusterId"] == cluster
    assert step["resources"] == [execution.rpartition("/execution/")[0], execution]
