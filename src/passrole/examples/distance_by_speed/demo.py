"""Fifty cars grouped by speed on Spark, in a pipeline; and the same pipeline refused.

    passrole demo emr

Everything here is boto3, as one would write it against AWS. The pipeline's EMR step makes a cluster, runs a
PySpark script that lies in S3, and ends the cluster; a function reads what Spark wrote. Then the pipeline is
started under a role with an older version of the managed policy, and is refused before anything is there. The
exit code is 0 if both came out as they should.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3

from passrole.examples import demonstration
from passrole.examples.demonstration import check, role_named

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
S3 = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}

CLIENTS: list[Any] = [boto3.client(name) for name in ("iam", "s3", "emr")]
iam, s3, emr = CLIENTS


def main() -> None:
    """Set up, run, run refused."""
    deploy()
    accepted(demonstration.onboarding_role())
    refused()


def accepted(role: str) -> None:
    """The pipeline with the onboarding role, which has the current version of the policy."""
    print("\n1. Under the managed policy as it is")
    steps = demonstration.finished(start(role), "Succeeded", WAIT_SECONDS_MAX)
    cluster = steps["BySpeed"]["Metadata"]["EMR"]["ClusterId"]
    state = emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]["State"]
    check(state == "TERMINATED", f"the cluster {cluster} is {state}")
    print(f"   the cluster {cluster} was made for the step, and is {state}")
    told = demonstration.outputs(steps["Report"])
    check(told["speeds"] == "19", f"unexpected result {told}")
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="out/parquet/speed_mph=")["Contents"]
    print(f"   the function says: {json.dumps(told)}; parquet in {len(listed)} partitions")


def refused() -> None:
    """The same pipeline with a role that has version 2 of the policy."""
    print("\n2. Under the second version of the managed policy")
    before = len(emr.list_clusters()["Clusters"])
    steps = demonstration.finished(start(old_role()), "Failed", WAIT_SECONDS_MAX)
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


def old_role() -> str:
    """A role with version 2 of the managed policy (2022 to 2023)."""
    version = iam.get_policy_version(PolicyArn=POLICY, VersionId="v2")["PolicyVersion"]
    return role_named(OLD_ROLE, "sagemaker.amazonaws.com", *version["Document"]["Statement"])


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
    role = role_named(FUNCTION_ROLE, "lambda.amazonaws.com", S3)
    demonstration.function(FUNCTION, HERE / "report", role)
    print(f"bucket {BUCKET} with cars.csv and by_speed.py, function {FUNCTION}, roles and instance profile")


def start(role: str) -> str:
    """Start the pipeline with the role; the ARN of the execution."""
    demonstration.pipeline(PIPELINE, (HERE / "pipeline.json").read_text(), role)
    execution = demonstration.start(PIPELINE, Report=demonstration.function_arn(FUNCTION))
    print(f"   started under {role}")
    return execution


if __name__ == "__main__":
    main()
