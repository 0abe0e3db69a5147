"""Job runs through boto3: real programs on real Spark, real ends."""

import gzip
import json
from typing import Any

import pytest
from tests.conftest import new_name, trusting
from tests.policies import allowing
from tests.refusals import refusal, refusal_with_status
from tests.services.emr_serverless.conftest import ANYTHING, SERVERLESS, Workshop

PRINTS = "import os, sys\nprint('args', sys.argv[1:])\nprint('mode', os.environ.get('MODE'))\n"
COUNTS = (
    "import sys\nfrom pyspark.sql import SparkSession\n"
    "spark = SparkSession.builder.getOrCreate()\n"
    "spark.range(5).write.mode('overwrite').csv(sys.argv[1])\n"
    "print('cores', spark.conf.get('spark.executor.cores'))\n"
)
FAILS = "raise ValueError('no rows')\n"
WAITS = "import time\nprint('waits', flush=True)\ntime.sleep(600)\n"


def text(workshop: Workshop, key: str) -> str:
    body: bytes = workshop.s3.get_object(Bucket=workshop.bucket, Key=key)["Body"].read()
    return gzip.decompress(body).decode()


def test_a_job_run_writes_by_spark_and_its_logs_are_brought_to_s3_and_cloudwatch(
    workshop: Workshop, spark: None
) -> None:
    defaults = {"classification": "spark-defaults", "properties": {"spark.executor.cores": "3"}}
    id_ = workshop.application(runtimeConfiguration=[defaults])
    target, group = f"s3://{workshop.bucket}/out", new_name("/aws/emr-serverless")
    monitoring = {
        "s3MonitoringConfiguration": {"logUri": f"s3://{workshop.bucket}/logs/"},
        "cloudWatchLoggingConfiguration": {"enabled": True, "logGroupName": group},
    }
    given = {"configurationOverrides": {"monitoringConfiguration": monitoring}, "name": "counts"}
    job = workshop.start(id_, COUNTS, target, submit="--master yarn --deploy-mode cluster", **given)
    run = workshop.until(id_, job)
    assert (run["state"], run["stateDetails"], run["name"]) == ("SUCCESS", "", "counts")
    assert {"startedAt", "endedAt", "totalExecutionDurationSeconds"} <= set(run)
    assert workshop.state(id_) == "STARTED"
    keys = [
        each["Key"] for each in workshop.s3.list_objects_v2(Bucket=workshop.bucket, Prefix="out/")["Contents"]
    ]
    assert any(key.endswith(".csv") for key in keys)
    base = f"logs/applications/{id_}/jobs/{job}/SPARK_DRIVER"
    assert text(workshop, f"{base}/stdout.gz") == "cores 3\n"
    assert "SparkContext" in text(workshop, f"{base}/stderr.gz")
    logs = workshop.server.client("logs")
    stream = f"/applications/{id_}/jobs/{job}/SPARK_DRIVER/stdout"
    told = logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]
    assert [each["message"] for each in told] == ["cores 3"]


def test_arguments_and_the_drivers_variables_reach_the_program(workshop: Workshop, spark: None) -> None:
    id_ = workshop.application(
        monitoringConfiguration={"s3MonitoringConfiguration": {"logUri": f"s3://{workshop.bucket}/own"}}
    )
    submit = "--conf 'spark.emr-serverless.driverEnv.MODE=a b'"
    job = workshop.start(id_, PRINTS, "x y", "--z", submit=submit, retryPolicy={"maxAttempts": 2})
    assert workshop.until(id_, job)["state"] == "SUCCESS"
    base = f"own/applications/{id_}/jobs/{job}/attempts/1/SPARK_DRIVER"
    assert text(workshop, f"{base}/stdout.gz") == "args ['x y', '--z']\nmode a b\n"


def test_a_failure_is_told_and_tried_as_often_as_was_asked(workshop: Workshop, spark: None) -> None:
    id_ = workshop.application()
    job = workshop.start(id_, FAILS, retryPolicy={"maxAttempts": 2})
    run = workshop.until(id_, job)
    assert (run["state"], run["attempt"]) == ("FAILED", 2)
    assert run["stateDetails"] == (
        "Job failed, please check complete logs in configured logging destination. ExitCode: 1. Last few"
        " exceptions: ValueError: no rows"
    )
    found = workshop.client.list_job_run_attempts(applicationId=id_, jobRunId=job)["jobRunAttempts"]
    assert [(each["attempt"], each["state"]) for each in found] == [(2, "FAILED"), (1, "FAILED")]
    first = workshop.client.get_job_run(applicationId=id_, jobRunId=job, attempt=1)["jobRun"]
    assert (first["attempt"], first["state"]) == (1, "FAILED")


def test_a_job_run_is_cancelled(workshop: Workshop, spark: None) -> None:
    id_ = workshop.application(schedulerConfiguration={"maxConcurrentRuns": 1})
    job, waiting = workshop.start(id_, WAITS), workshop.start(id_, WAITS)
    workshop.until(id_, job, "RUNNING")
    assert workshop.until(id_, waiting, "QUEUED")
    client = workshop.client
    assert "job runs that are not over" in refusal(client.stop_application, applicationId=id_)[1]
    client.cancel_job_run(applicationId=id_, jobRunId=waiting)
    assert workshop.run(id_, waiting)["state"] == "CANCELLED"
    client.cancel_job_run(applicationId=id_, jobRunId=job)
    assert workshop.until(id_, job)["state"] == "CANCELLED"
    answer = refusal(client.cancel_job_run, applicationId=id_, jobRunId=job)
    assert answer == ("ValidationException", f"Job run {job} is in state CANCELLED and cannot be cancelled.")
    listed = client.list_job_runs(applicationId=id_, states=["CANCELLED"])["jobRuns"]
    assert [each["id"] for each in listed] == [waiting, job]


def test_a_job_run_has_its_own_roles_permissions_and_no_other(workshop: Workshop, spark: None) -> None:
    id_ = workshop.application()
    role = workshop.server.role([ANYTHING], trust=SERVERLESS)
    trust = trusting(SERVERLESS)
    application = workshop.client.get_application(applicationId=id_)["application"]["arn"]
    trust["Statement"][0]["Condition"] = {"ArnEquals": {"aws:SourceArn": application}}
    iam, name = workshop.server.client("iam"), role.rpartition("/")[2]
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    source = (
        "import os, urllib.request\n"
        "assert os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN']\n"
        "import boto3\nprint(boto3.client('sts').get_caller_identity()['Arn'])\n"
    )
    job = workshop.start(id_, source, executionRoleArn=role)
    assert workshop.until(id_, job)["state"] == "SUCCESS", workshop.run(id_, job)
    other = workshop.application()
    refused = workshop.until(other, workshop.start(other, source, executionRoleArn=role))
    assert refused["state"] == "FAILED"
    assert refused["stateDetails"].startswith(f"The role {role} cannot be assumed: ")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"jobDriver": {"hive": {"query": "s3://b/q.sql"}}}, "does not support job runs of Hive"),
        ({"mode": "STREAMING"}, "does not support the mode STREAMING"),
        ({"executionTimeoutMinutes": 0}, "executionTimeoutMinutes must be at least 1"),
        (
            {"jobDriver": {"sparkSubmit": {"entryPoint": "a.py", "sparkSubmitParameters": "'a"}}},
            "sparkSubmitParameters cannot be read",
        ),
        ({"executionIamPolicy": {"policy": "{}"}}, "executionIamPolicy"),
    ],
)
def test_what_cannot_be_run_is_refused_in_words(
    workshop: Workshop, changed: dict[str, Any], words: str
) -> None:
    given = {
        "applicationId": workshop.application(),
        "executionRoleArn": workshop.role,
        "jobDriver": {"sparkSubmit": {"entryPoint": "s3://b/a.py"}},
        **changed,
    }
    code, message = refusal(workshop.client.start_job_run, **given)
    assert (code, words in message) == ("ValidationException", True), message


def test_an_application_that_does_not_start_itself_must_be_started(workshop: Workshop) -> None:
    id_ = workshop.application(autoStartConfiguration={"enabled": False})
    driver = {"sparkSubmit": {"entryPoint": "s3://b/a.py"}}
    given = {"applicationId": id_, "executionRoleArn": workshop.role, "jobDriver": driver}
    code, message = refusal(workshop.client.start_job_run, **given)
    assert (code, "autoStartConfiguration is disabled" in message) == ("ValidationException", True)


def test_a_caller_needs_both_the_job_run_and_the_role(workshop: Workshop) -> None:
    id_, region, account = workshop.application(), workshop.server.region, workshop.server.account
    own = f"arn:aws:emr-serverless:{region}:{account}:/applications/{id_}"
    driver = {"sparkSubmit": {"entryPoint": "s3://b/a.py"}}
    given = {"applicationId": id_, "executionRoleArn": workshop.role, "jobDriver": driver}
    starting = allowing("emr-serverless:StartJobRun", resource=own)
    client = workshop.server.client("emr-serverless", starting)
    code, message = refusal(client.start_job_run, **given)
    assert (code, f"iam:PassRole on resource: {workshop.role}" in message) == ("AccessDeniedException", True)
    for service, allowed in ((SERVERLESS, True), ("sagemaker.amazonaws.com", False)):
        condition = {"StringEquals": {"iam:PassedToService": service}}
        passing = allowing("iam:PassRole", resource=workshop.role, Condition=condition)
        both = {**starting, "Statement": [*starting["Statement"], *passing["Statement"]]}
        caller = workshop.server.client("emr-serverless", both)
        if allowed:
            job = caller.start_job_run(**given)["jobRunId"]
            denied = refusal(caller.get_job_run, applicationId=id_, jobRunId=job)[1]
            assert f"emr-serverless:GetJobRun on resource: {own}/jobruns/{job}" in denied
            workshop.client.cancel_job_run(applicationId=id_, jobRunId=job)
        else:
            assert refusal(caller.start_job_run, **given)[0] == "AccessDeniedException"


def test_the_same_token_is_the_same_job_run(workshop: Workshop) -> None:
    id_, token = workshop.application(), new_name("token")
    given = {
        "applicationId": id_,
        "clientToken": token,
        "executionRoleArn": workshop.server.role(trust="ec2.amazonaws.com"),
        "jobDriver": {"sparkSubmit": {"entryPoint": "s3://b/a.py"}},
    }
    first = workshop.client.start_job_run(**given)["jobRunId"]
    assert workshop.client.start_job_run(**given)["jobRunId"] == first
    answer = refusal_with_status(workshop.client.start_job_run, **{**given, "name": "other"})
    assert answer[:2] == (409, "ConflictException")
    assert len(workshop.client.list_job_runs(applicationId=id_)["jobRuns"]) == 1


@pytest.mark.parametrize("may", [True, False])
def test_logs_in_s3_have_the_key_that_the_configuration_names(
    workshop: Workshop, spark: None, may: bool
) -> None:
    key = workshop.server.client("kms").create_key()["KeyMetadata"]["Arn"]
    granted = [allowing("s3:*"), *([allowing("kms:GenerateDataKey", "kms:Decrypt")] if may else [])]
    role, folder = workshop.server.role(granted, trust=SERVERLESS), new_name("sealed")
    in_s3 = {"logUri": f"s3://{workshop.bucket}/{folder}", "encryptionKeyArn": key}
    given = {"configurationOverrides": {"monitoringConfiguration": {"s3MonitoringConfiguration": in_s3}}}
    id_ = workshop.application()
    job = workshop.start(id_, PRINTS, submit="--version", executionRoleArn=role, **given)
    assert workshop.until(id_, job)["state"] == "SUCCESS"
    found = workshop.s3.list_objects_v2(Bucket=workshop.bucket, Prefix=f"{folder}/").get("Contents", ())
    assert len(found) == (2 if may else 0)
    for each in found:
        head = workshop.s3.head_object(Bucket=workshop.bucket, Key=each["Key"])
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)
