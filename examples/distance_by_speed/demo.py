"""Fifty cars grouped by speed on Spark, in a pipeline; and the same pipeline refused.

    passrole exec -- python examples/distance_by_speed/demo.py

Everything here is boto3, as one would write it against AWS. The pipeline's EMR step makes a cluster, runs a
PySpark script that lies in S3, and ends the cluster; a function reads what Spark wrote. Then the pipeline is
started under a role with an older version of the managed policy, and is refused before anything is there. The
exit code is 0 if both came out as they should.
"""

import io
import json
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3

HERE = Path(__file__).parent
DATA = HERE.parent / "stopping_distance" / "fit" / "cars.csv"
PIPELINE, BUCKET, FUNCTION = "distance-by-speed", "distance-by-speed", "sagemaker-distance-report"
POLICY = "arn:aws:iam::aws:policy/AmazonSageMakerPipelinesIntegrations"
EMR_ROLE, INSTANCES, FUNCTION_ROLE, OLD_ROLE = (
    "distance-emr",
    "distance-instances",
    "distance-function",
    "distance-old-policy",
)
WAIT_SECONDS_MAX = 120
S3 = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}

CLIENTS: list[Any] = [boto3.client(name) for name in ("iam", "s3", "emr", "lambda", "sagemaker")]
iam, s3, emr, functions, sagemaker = CLIENTS


def main() -> None:
    """Set up, run, run refused."""
    deploy()
    accepted(the_execution_role())
    refused()


def accepted(role: str) -> None:
    """The pipeline with the onboarding role, which has the current version of the policy."""
    print("\n1. Under the managed policy as it is")
    steps = finished(start(role), expected="Succeeded")
    cluster = steps["BySpeed"]["Metadata"]["EMR"]["ClusterId"]
    state = emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]["State"]
    check(state == "TERMINATED", f"the cluster {cluster} is {state}")
    print(f"   the cluster {cluster} was made for the step, and is {state}")
    told = {each["Name"]: each["Value"] for each in steps["Report"]["Metadata"]["Lambda"]["OutputParameters"]}
    check(told["speeds"] == "19", f"unexpected result {told}")
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="out/parquet/speed_mph=")["Contents"]
    print(f"   the function says: {json.dumps(told)}; parquet in {len(listed)} partitions")


def refused() -> None:
    """The same pipeline with a role that has version 2 of the policy."""
    print("\n2. Under the second version of the managed policy")
    before = len(emr.list_clusters()["Clusters"])
    steps = finished(start(old_role()), expected="Failed")
    reason = steps["BySpeed"].get("FailureReason", "")
    check(
        "is not authorized to perform: events:DescribeRule on resource: " in reason, f"unexpected: {reason}"
    )
    check(len(emr.list_clusters()["Clusters"]) == before, "a cluster was made all the same")
    print(
        "\n   Why: SageMaker follows a cluster that a step makes by the EventBridge rule\n"
        "   SageMakerPipelineExecutionEMRClusterStatusUpdateRule. Version 2 of the policy (2022) knows only\n"
        "   the rule for steps on clusters that are there; version 3 (2023) added this one, with\n"
        "   elasticmapreduce:RunJobFlow. Nothing was started: the rule is asked for first."
    )


def the_execution_role() -> str:
    """The execution role that onboarding to Studio created."""
    roles = iam.list_roles(PathPrefix="/service-role/")["Roles"]
    ours = (role for role in roles if role["RoleName"].startswith("AmazonSageMaker-ExecutionRole-"))
    return str(next(ours)["Arn"])


def old_role() -> str:
    """A role with version 2 of the managed policy (2022 to 2023)."""
    version = iam.get_policy_version(PolicyArn=POLICY, VersionId="v2")["PolicyVersion"]
    return role_named(OLD_ROLE, "sagemaker.amazonaws.com", version["Document"])


def deploy() -> None:
    """Create bucket, roles and function, or reuse those of an earlier run."""
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET)
    s3.upload_file(str(DATA), BUCKET, "in/cars.csv")
    s3.upload_file(str(HERE / "by_speed.py"), BUCKET, "by_speed.py")
    role_named(EMR_ROLE, "elasticmapreduce.amazonaws.com")
    role_named(INSTANCES, "ec2.amazonaws.com", S3)
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_instance_profile(InstanceProfileName=INSTANCES)
        iam.add_role_to_instance_profile(InstanceProfileName=INSTANCES, RoleName=INSTANCES)
    with suppress(functions.exceptions.ResourceConflictException):
        functions.create_function(
            FunctionName=FUNCTION,
            Runtime=f"python3.{sys.version_info.minor}",
            Handler="report.handler",
            Timeout=60,
            Role=role_named(FUNCTION_ROLE, "lambda.amazonaws.com", S3),
            Code={"ZipFile": zipped(HERE / "report")},
        )
    print(f"bucket {BUCKET} with cars.csv and by_speed.py, function {FUNCTION}, roles and instance profile")


def role_named(name: str, service: str, policy: Any = None) -> str:
    """The ARN of a role that trusts the service and has only this policy."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    if policy is not None:
        iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=json.dumps(policy))
    return str(iam.get_role(RoleName=name)["Role"]["Arn"])


def start(role: str) -> str:
    """Start the pipeline with the role; the ARN of the execution."""
    definition = (HERE / "pipeline.json").read_text()
    known = [each["PipelineName"] for each in sagemaker.list_pipelines()["PipelineSummaries"]]
    put = sagemaker.update_pipeline if PIPELINE in known else sagemaker.create_pipeline
    put(PipelineName=PIPELINE, PipelineDefinition=definition, RoleArn=role)
    function = functions.get_function(FunctionName=FUNCTION)["Configuration"]["FunctionArn"]
    given = [{"Name": "Report", "Value": function}]
    started = sagemaker.start_pipeline_execution(PipelineName=PIPELINE, PipelineParameters=given)
    print(f"   started under {role}")
    return str(started["PipelineExecutionArn"])


def finished(execution: str, expected: str) -> dict[str, Any]:
    """The steps by name after the execution ended with the expected status."""
    until = time.monotonic() + WAIT_SECONDS_MAX
    status = "Executing"
    while status == "Executing" and time.monotonic() < until:
        time.sleep(0.2)
        status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)[
            "PipelineExecutionStatus"
        ]
    listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution, SortOrder="Ascending")
    steps = {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}
    for step in steps.values():
        line = f"   {step['StepStatus']:<9}  {step['StepName']:<8}  {step.get('FailureReason', '')}"
        print(line.rstrip())
    check(status == expected, f"the execution is {status} and should be {expected}")
    print(f"   the execution {status}, as it should")
    return steps


def zipped(folder: Path) -> bytes:
    """A zip archive of the folder, for Lambda."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.glob("*.*")):
            archive.write(path, path.name)
    return buffer.getvalue()


def check(holds: bool, otherwise: str) -> None:
    """Exit with code 1 and the message if the condition is false."""
    if not holds:
        sys.exit(f"demo: {otherwise}")


if __name__ == "__main__":
    main()
