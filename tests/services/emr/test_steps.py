"""Steps through boto3: real programs, real ends."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.eventually import eventually, processes_with
from tests.refusals import refusal
from tests.services.emr.conftest import ANYTHING, Fleet, allowed, shell, step


def test_a_step_is_shown_as_it_was_submitted(fleet: Fleet) -> None:
    cluster = fleet.run()
    config = step("bash", "-c", "echo hello", ActionOnFailure="CONTINUE")
    config["HadoopJarStep"]["Properties"] = [{"Key": "a", "Value": "b"}]
    (made,) = fleet.add(cluster, config)
    status = fleet.step_until(cluster, made)
    shown = fleet.client.describe_step(ClusterId=cluster, StepId=made)["Step"]
    assert (made[:2], len(made)) == ("s-", 15)
    assert shown["Config"] == {
        "Jar": "command-runner.jar",
        "Properties": {"a": "b"},
        "Args": ["bash", "-c", "echo hello"],
    }
    assert (shown["Name"], shown["ActionOnFailure"]) == (config["Name"], "CONTINUE")
    assert status["State"] == "COMPLETED"
    assert set(status["Timeline"]) == {"CreationDateTime", "StartDateTime", "EndDateTime"}


def test_steps_run_one_after_the_other_in_their_order(fleet: Fleet, tmp_path: Path) -> None:
    told, cluster = tmp_path / "told", fleet.run()
    configs = [shell(f"echo begin {n} >> {told}; sleep 0.1; echo end {n} >> {told}") for n in range(3)]
    steps = fleet.add(cluster, *configs)
    fleet.step_until(cluster, steps[-1])
    assert told.read_text().split("\n")[:-1] == [f"{word} {n}" for n in range(3) for word in ("begin", "end")]


def test_as_many_as_the_cluster_allows_run_at_once(fleet: Fleet, tmp_path: Path) -> None:
    cluster = fleet.run(StepConcurrencyLevel=2)
    wait = f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
    steps = fleet.add(cluster, *(shell(wait) for _ in range(3)))
    for each in steps[:2]:
        fleet.step_until(cluster, each, "RUNNING")
    assert fleet.status(cluster, steps[2])["State"] == "PENDING"
    (tmp_path / "go").touch()
    assert fleet.step_until(cluster, steps[2])["State"] == "COMPLETED"


@pytest.mark.parametrize(
    ("action", "second", "cluster_state"),
    [
        ("CONTINUE", "COMPLETED", "WAITING"),
        ("CANCEL_AND_WAIT", "CANCELLED", "WAITING"),
        ("TERMINATE_CLUSTER", "CANCELLED", "TERMINATED_WITH_ERRORS"),
        ("TERMINATE_JOB_FLOW", "CANCELLED", "TERMINATED_WITH_ERRORS"),
        (None, "CANCELLED", "TERMINATED_WITH_ERRORS"),
    ],
)
def test_what_a_failure_does_to_the_rest(
    fleet: Fleet, action: str | None, second: str, cluster_state: str
) -> None:
    cluster = fleet.run()
    failing = step("bash", "-c", "exit 3")
    if action is not None:
        failing["ActionOnFailure"] = action
    first, other = fleet.add(cluster, failing, shell("true"))
    assert fleet.step_until(cluster, first)["State"] == "FAILED"
    assert fleet.step_until(cluster, other)["State"] == second
    ended = fleet.until(cluster, cluster_state)
    if cluster_state != "WAITING":
        reason = ended["Status"]["StateChangeReason"]
        assert reason == {"Code": "STEP_FAILURE", "Message": "Shut down as step failed"}


def test_a_failure_is_explained_by_what_the_program_wrote(fleet: Fleet) -> None:
    cluster = fleet.run()
    python = step("python3", "-c", "raise ValueError('no rows')", ActionOnFailure="CONTINUE")
    silent, spoke, unknown = fleet.add(
        cluster, shell("exit 3"), python, step("hive-script", ActionOnFailure="CONTINUE")
    )
    assert fleet.step_until(cluster, silent)["FailureDetails"] == {"Reason": "Unknown Error"}
    assert fleet.step_until(cluster, spoke)["FailureDetails"] == {
        "Reason": "ValueError: no rows",
        "Message": "ValueError: no rows",
    }
    details = fleet.step_until(cluster, unknown)["FailureDetails"]
    assert "cannot run `hive-script` here" in details["Reason"]


def test_any_program_of_the_machine_runs_and_hadoop_env_reaches_it(fleet: Fleet) -> None:
    exported = {"Classification": "export", "Properties": {"GREETING": "hello"}}
    cluster = fleet.run(Configurations=[{"Classification": "hadoop-env", "Configurations": [exported]}])
    given = step("env", "bash", "-c", "test $GREETING = hello", ActionOnFailure="CONTINUE")
    (made,) = fleet.add(cluster, given)
    assert fleet.step_until(cluster, made)["State"] == "COMPLETED"


def test_an_error_has_its_code_beside_its_sentence(fleet: Fleet) -> None:
    client = fleet.client
    cluster = fleet.run()
    fleets = fleet.parameters()
    fleets["Instances"] = {
        "KeepJobFlowAliveWhenNoSteps": True,
        "InstanceFleets": [{"InstanceFleetType": "MASTER", "TargetOnDemandCapacity": 1}],
    }
    with_fleets = client.run_job_flow(**fleets)["JobFlowId"]
    fleet.made.append(with_fleets)
    refused: list[tuple[Callable[[], Any], str]] = [
        (lambda: client.describe_cluster(ClusterId="j-NOWHERE"), "NoSuchCluster"),
        (lambda: client.list_steps(ClusterId="j-NOWHERE"), "NoSuchCluster"),
        (lambda: client.describe_step(ClusterId=cluster, StepId="s-NOWHERE"), "NoSuchStep"),
        (
            lambda: client.list_instance_groups(ClusterId=with_fleets),
            "API_DOES_NOT_SUPPORT_INSTANCE_FLEET_CLUSTERS",
        ),
        (lambda: client.list_steps(ClusterId=cluster, Marker="odd"), "InvalidRequest"),
    ]
    for call, code in refused:
        with pytest.raises(ClientError) as caught:
            call()
        answer: dict[str, Any] = dict(caught.value.response)
        assert (answer["Error"]["Code"], answer["ErrorCode"]) == ("InvalidRequestException", code)


@pytest.mark.usefixtures("spark")
def test_spark_env_and_examples_reach_spark(fleet: Fleet) -> None:
    s3 = fleet.server.client("s3")
    s3.create_bucket(Bucket="emr-exported")
    body = b"import os\nassert os.environ['GREETING'] == 'hello world'\n"
    s3.put_object(Bucket="emr-exported", Key="j.py", Body=body)
    exported = {"Classification": "export", "Properties": {"GREETING": "hello world"}}
    cluster = fleet.run(Configurations=[{"Classification": "spark-env", "Configurations": [exported]}])
    submitted, example = fleet.add(
        cluster,
        step("spark-submit", "s3://emr-exported/j.py", ActionOnFailure="CONTINUE"),
        step("spark-example", "SparkPi", "1", ActionOnFailure="CONTINUE"),
    )
    assert fleet.step_until(cluster, submitted)["State"] == "COMPLETED"
    assert fleet.step_until(cluster, example)["State"] == "COMPLETED"


def test_logs_are_laid_out_in_s3_as_emr_does(fleet: Fleet) -> None:
    s3 = fleet.server.client("s3")
    s3.create_bucket(Bucket="emr-logs")
    cluster = fleet.run(LogUri="s3://emr-logs/some/prefix/")
    (made,) = fleet.add(cluster, shell("echo to stdout; echo to stderr >&2; exit 1"))
    status = fleet.step_until(cluster, made)
    prefix = f"some/prefix/{cluster}/steps/{made}"
    assert status["FailureDetails"]["LogFile"] == f"s3://emr-logs/{prefix}/stderr.gz"

    def read(name: str) -> str:
        body: bytes = s3.get_object(Bucket="emr-logs", Key=f"{prefix}/{name}.gz")["Body"].read()
        return gzip.decompress(body).decode()

    assert read("stdout") == "to stdout\n"
    assert read("stderr") == "to stderr\n"
    assert "exit code 1" in read("controller")


def test_a_role_that_may_not_write_logs_has_none_and_the_step_runs_all_the_same(fleet: Fleet) -> None:
    fleet.server.client("s3").create_bucket(Bucket="emr-no-logs")
    poor = fleet.new_profile(fleet.server.role(trust="ec2.amazonaws.com"))
    cluster = fleet.run(LogUri="s3://emr-no-logs/", JobFlowRole=poor)
    (made,) = fleet.add(cluster, shell("true"))
    assert fleet.step_until(cluster, made)["State"] == "COMPLETED"
    assert "Contents" not in fleet.server.client("s3").list_objects_v2(Bucket="emr-no-logs")


def test_a_script_of_s3_is_fetched_as_the_instances_role_and_run(fleet: Fleet, tmp_path: Path) -> None:
    runner = "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar"
    s3 = fleet.server.client("s3")
    s3.create_bucket(Bucket="emr-scripts")
    s3.put_object(Bucket="emr-scripts", Key="x.sh", Body=b'echo "$2" > "$1"')
    cluster, told = fleet.run(), tmp_path / "told"
    ran, missing = fleet.add(
        cluster,
        step("s3://emr-scripts/x.sh", str(told), "hi", jar=runner, ActionOnFailure="CONTINUE"),
        step("s3://emr-scripts/none.sh", jar=runner, ActionOnFailure="CONTINUE"),
    )
    assert fleet.step_until(cluster, ran)["State"] == "COMPLETED"
    assert told.read_text() == "hi\n"
    details = fleet.step_until(cluster, missing)["FailureDetails"]
    assert "s3://emr-scripts/none.sh cannot be read: NoSuchKey" in details["Reason"]
    poor = fleet.run(JobFlowRole=fleet.new_profile(fleet.server.role(trust="ec2.amazonaws.com")))
    (denied,) = fleet.add(poor, step("s3://emr-scripts/x.sh", jar=runner, ActionOnFailure="CONTINUE"))
    reason = fleet.step_until(poor, denied)["FailureDetails"]["Reason"]
    assert "AccessDenied" in reason


CALLER = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"


def output(fleet: Fleet, cluster: str, made: str, name: str = "stdout") -> str:
    data: Path = fleet.server.data
    return (data / "emr" / cluster / made / name).read_text()


def test_a_program_calls_aws_as_the_role_of_the_instances(fleet: Fleet) -> None:
    cluster = fleet.run()
    (made,) = fleet.add(cluster, step("python3", "-c", CALLER, ActionOnFailure="CONTINUE"))
    assert fleet.step_until(cluster, made)["State"] == "COMPLETED"
    role = fleet.instance_role.rpartition("/")[2]
    assert f":assumed-role/{role}/i-" in output(fleet, cluster, made)


def test_a_step_may_have_a_role_of_its_own_where_the_cluster_allows_it(fleet: Fleet) -> None:
    scoped = {"AuthorizationConfiguration": {"IAMConfiguration": {"EnableApplicationScopedIAMRole": True}}}
    fleet.client.create_security_configuration(Name="scoped", SecurityConfiguration=json.dumps(scoped))
    iam = fleet.server.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": fleet.instance_role}, "Action": "sts:AssumeRole"}
        ],
    }
    own = iam.create_role(RoleName="runtime-role", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(
        RoleName=fleet.instance_role.rpartition("/")[2],
        PolicyName="assume",
        PolicyDocument=json.dumps(allowed(["sts:AssumeRole"], own)),
    )
    cluster = fleet.run(SecurityConfiguration="scoped")
    call = step("python3", "-c", CALLER, ActionOnFailure="CONTINUE")
    (made,) = fleet.add(cluster, call, ExecutionRoleArn=own)
    assert fleet.step_until(cluster, made)["State"] == "COMPLETED"
    assert ":assumed-role/runtime-role/i-" in output(fleet, cluster, made)
    assert fleet.client.describe_step(ClusterId=cluster, StepId=made)["Step"]["ExecutionRoleArn"] == own
    stranger = fleet.server.role()  # trusts SageMaker alone
    (refused,) = fleet.add(cluster, call, ExecutionRoleArn=stranger)
    status = fleet.step_until(cluster, refused)
    assert (status["State"], "sts:AssumeRole" in status["FailureDetails"]["Reason"]) == ("FAILED", True)
    code, message = refusal(
        fleet.client.add_job_flow_steps, JobFlowId=fleet.run(), Steps=[call], ExecutionRoleArn=own
    )
    assert (code, "EnableApplicationScopedIAMRole" in message) == ("ValidationException", True)


def test_the_environment_is_built_from_nothing(fleet: Fleet) -> None:
    cluster = fleet.run()
    (made,) = fleet.add(cluster, shell("env"))
    fleet.step_until(cluster, made)
    names = {line.partition("=")[0] for line in output(fleet, cluster, made).splitlines()}
    assert {"AWS_ENDPOINT_URL", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "SPARK_CONF_DIR"} <= names
    assert (
        not {"AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "PYTHONPATH", "PASSROLE_DATA", "VIRTUAL_ENV"} & names
    )


def test_a_step_that_waits_is_cancelled_at_once_and_one_that_runs_is_ended(fleet: Fleet) -> None:
    cluster = fleet.run()
    running, waiting, done = fleet.add(cluster, shell("sleep 60"), shell("true"), shell("true"))
    fleet.step_until(cluster, running, "RUNNING")
    answers = fleet.client.cancel_steps(ClusterId=cluster, StepIds=[waiting, running, "s-NONE"])
    assert [(each["StepId"], each["Status"]) for each in answers["CancelStepsInfoList"]] == [
        (waiting, "SUBMITTED"),
        (running, "SUBMITTED"),
        ("s-NONE", "FAILED"),
    ]
    assert fleet.status(cluster, waiting)["State"] == "CANCELLED"
    assert fleet.step_until(cluster, running)["State"] == "CANCELLED"
    assert fleet.step_until(cluster, done)["State"] == "COMPLETED"
    (again,) = fleet.client.cancel_steps(ClusterId=cluster, StepIds=[done])["CancelStepsInfoList"]
    assert (again["Status"], "COMPLETED" in again["Reason"]) == ("FAILED", True)
    assert fleet.state(cluster) in ("RUNNING", "WAITING")


def test_a_program_that_does_not_listen_is_ended_with_its_descendants(fleet: Fleet, tmp_path: Path) -> None:
    cluster, beat = fleet.run(), tmp_path / "beat"
    child = f": > {beat}; while true; do sleep 0.05; done"
    ignores_term = f"trap '' TERM; (setsid bash -c '{child}') & wait"
    (made,) = fleet.add(cluster, shell(ignores_term))
    fleet.step_until(cluster, made, "RUNNING")
    eventually(beat.exists)
    assert processes_with(str(beat))
    fleet.client.cancel_steps(ClusterId=cluster, StepIds=[made], StepCancellationOption="TERMINATE_PROCESS")
    assert fleet.step_until(cluster, made)["State"] == "CANCELLED"
    eventually(lambda: not processes_with(str(beat)))  # of itself it would go on for ever


def test_terminating_a_cluster_ends_what_runs_and_cancels_what_waits(fleet: Fleet) -> None:
    cluster = fleet.run()
    running, waiting = fleet.add(cluster, shell("sleep 60"), shell("true"))
    fleet.step_until(cluster, running, "RUNNING")
    fleet.client.terminate_job_flows(JobFlowIds=[cluster])
    fleet.until(cluster, "TERMINATED")
    assert fleet.status(cluster, running)["State"] == "INTERRUPTED"
    assert fleet.status(cluster, waiting)["State"] == "CANCELLED"
    assert refusal(fleet.client.add_job_flow_steps, JobFlowId=cluster, Steps=[shell("true")]) == (
        "ValidationException",
        "A job flow that is shutting down, terminated, or finished may not be modified.",
    )


def test_limits_are_those_of_emr(fleet: Fleet) -> None:
    cluster = fleet.run()
    code, message = refusal(fleet.client.add_job_flow_steps, JobFlowId=cluster, Steps=[shell("x" * 10_241)])
    assert (code, "10240 characters" in message) == ("ValidationException", True)
    many = [shell("sleep 30") for _ in range(257)]
    code, message = refusal(fleet.client.add_job_flow_steps, JobFlowId=cluster, Steps=many)
    assert (code, message.endswith("Maximum: 256")) == ("ValidationException", True)
    assert fleet.client.list_steps(ClusterId=cluster)["Steps"] == []
    ids = [f"s-{number}" for number in range(11)]
    assert refusal(fleet.client.list_steps, ClusterId=cluster, StepIds=ids)[0] == "InvalidRequestException"


def test_lists_are_newest_first_and_filtered(fleet: Fleet) -> None:
    cluster = fleet.run()
    good, bad = fleet.add(cluster, shell("true"), shell("exit 1"))
    fleet.step_until(cluster, bad)

    def listed(**asked: Any) -> list[str]:
        return [each["Id"] for each in fleet.client.list_steps(ClusterId=cluster, **asked)["Steps"]]

    assert listed() == [bad, good]
    assert listed(StepStates=["COMPLETED"]) == [good]
    assert listed(StepIds=[bad]) == [bad]
    assert refusal(fleet.client.describe_step, ClusterId=cluster, StepId="s-NONE") == (
        "InvalidRequestException",
        "Step id 's-NONE' is not valid.",
    )


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("add_job_flow_steps", {"JobFlowId": "{}", "Steps": [shell("true")]}),
        ("describe_step", {"ClusterId": "{}", "StepId": "s-1"}),
        ("list_steps", {"ClusterId": "{}"}),
        ("cancel_steps", {"ClusterId": "{}", "StepIds": ["s-1"]}),
        ("describe_cluster", {"ClusterId": "{}"}),
        ("list_instance_groups", {"ClusterId": "{}"}),
        ("list_bootstrap_actions", {"ClusterId": "{}"}),
        ("terminate_job_flows", {"JobFlowIds": ["{}"]}),
        ("set_termination_protection", {"JobFlowIds": ["{}"], "TerminationProtected": True}),
        ("add_tags", {"ResourceId": "{}", "Tags": []}),
        ("remove_tags", {"ResourceId": "{}", "TagKeys": []}),
    ],
)
def test_each_operation_is_decided_on_the_cluster(
    server: Server, operation: str, asked: dict[str, Any]
) -> None:
    """The one who may do all else, and this on other clusters, is refused by the action's name."""
    action = "elasticmapreduce:" + "".join(word.capitalize() for word in operation.split("_"))
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": action, "Resource": "arn:aws:elasticmapreduce:*:*:cluster/j-MINE"},
        ],
    }
    client = server.client("emr", policy)

    def call(cluster: str) -> tuple[str, str]:
        given = {
            name: [cluster] if value == ["{}"] else cluster if value == "{}" else value
            for name, value in asked.items()
        }
        return refusal(getattr(client, operation), **given)

    code, message = call("j-MINE")
    assert code == "AccessDeniedException"
    assert f"{action} on resource: " in message
    assert "cluster/j-MINE" in message
    assert call("j-OTHER")[0] != "AccessDeniedException"


@pytest.mark.parametrize(
    ("operation", "asked"),
    [
        ("list_clusters", {}),
        ("create_security_configuration", {"Name": "n", "SecurityConfiguration": "{}"}),
        ("describe_security_configuration", {"Name": "n"}),
        ("delete_security_configuration", {"Name": "n"}),
        ("list_security_configurations", {}),
    ],
)
def test_the_others_are_decided_on_everything(server: Server, operation: str, asked: dict[str, Any]) -> None:
    action = "elasticmapreduce:" + "".join(word.capitalize() for word in operation.split("_"))
    code, message = refusal(getattr(server.client("emr", allowed(["s3:*"])), operation), **asked)
    assert (code, f"{action} on resource: *" in message) == ("AccessDeniedException", True)


def test_spark_writes_where_s3_reads(fleet: Fleet, spark: None) -> None:
    s3 = fleet.server.client("s3")
    s3.create_bucket(Bucket="emr-spark")
    script = (
        "from pyspark.sql import SparkSession\n"
        "spark = SparkSession.builder.getOrCreate()\n"
        "frame = spark.createDataFrame([('a', 1), ('b', 2), ('a', 3)], ['k', 'v'])\n"
        "frame.groupBy('k').count().write.partitionBy('k').json('s3://emr-spark/out/')\n"
    )
    s3.put_object(Bucket="emr-spark", Key="job.py", Body=script.encode())
    cluster = fleet.run()
    submit = ["spark-submit", "--deploy-mode", "cluster", "--master", "yarn"]
    good, missing = fleet.add(
        cluster,
        step(*submit, "s3://emr-spark/job.py", ActionOnFailure="CONTINUE"),
        step(*submit, "s3://emr-none/job.py", ActionOnFailure="CONTINUE"),
    )
    assert fleet.step_until(cluster, good)["State"] == "COMPLETED", output(fleet, cluster, good, "stderr")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="emr-spark", Prefix="out/")["Contents"]]
    (part,) = [key for key in keys if key.startswith("out/k=a/")]
    assert json.loads(s3.get_object(Bucket="emr-spark", Key=part)["Body"].read()) == {"count": 2}
    status = fleet.step_until(cluster, missing)
    assert status["State"] == "FAILED"
    assert "emr-none" in status["FailureDetails"]["Message"]


def test_without_spark_the_step_says_how_to_install_it(start_server: Callable[..., Server]) -> None:
    fleet = Fleet(start_server(spark_home="/nowhere"))
    cluster = fleet.run()
    (made,) = fleet.add(cluster, step("spark-submit", "s3://b/job.py", ActionOnFailure="CONTINUE"))
    reason = fleet.step_until(cluster, made)["FailureDetails"]["Reason"]
    assert reason == "Spark is not installed; install it with: pip install 'passrole[emr]'"


def test_a_caller_that_is_refused_submits_nothing(fleet: Fleet) -> None:
    cluster = fleet.run()
    with pytest.raises(ClientError):
        fleet.server.client("emr", ANYTHING).add_job_flow_steps(JobFlowId=cluster, Steps=[shell("true")])
    assert fleet.client.list_steps(ClusterId=cluster)["Steps"] == []
