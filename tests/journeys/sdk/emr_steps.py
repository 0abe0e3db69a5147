"""EMR steps as the SDK's documentation writes them: on a cluster that is there, and on one of their own.

Each reads csv from S3 and writes partitioned parquet, which a Lambda step reads through boto3.
"""

import json
import os
import pathlib
import tempfile
import time

import boto3
from sagemaker_sdk import (
    EMRStep,
    EMRStepConfig,
    Lambda,
    LambdaOutput,
    LambdaOutputTypeEnum,
    LambdaStep,
    ParameterString,
    Pipeline,
    PipelineSession,
    get_execution_role,
)

SCRIPT = """
import argparse
from pyspark.sql import SparkSession, functions

parser = argparse.ArgumentParser()
parser.add_argument("--input")
parser.add_argument("--output")
given = parser.parse_args()
spark = SparkSession.builder.appName("by-speed").getOrCreate()
cars = spark.read.csv(given.input, header=True, inferSchema=True)
by_speed = cars.groupBy("speed").agg(functions.avg("dist").alias("dist"), functions.count("*").alias("n"))
by_speed.write.mode("overwrite").partitionBy("speed").parquet(given.output)
print("speeds:", by_speed.count())
"""

READ = """
import boto3

def handler(event, context):
    s3 = boto3.client("s3")
    bucket, _, prefix = event["where"].removeprefix("s3://").partition("/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [each["Key"] for page in pages for each in page["Contents"]]
    parts = [key for key in keys if key.endswith(".parquet")]
    first = s3.get_object(Bucket=bucket, Key=parts[0])["Body"].read()
    assert first[:4] == first[-4:] == b"PAR1", first[:4]
    return {"speeds": len({key.split("speed=")[1].split("/")[0] for key in parts}), "done": any(
        key.endswith("_SUCCESS") for key in keys
    )}
"""

session = PipelineSession()
role = get_execution_role(session)
bucket = session.default_bucket()
s3, emr = boto3.client("s3"), boto3.client("emr")
rows = [f"{speed},{speed * 2 + extra}" for speed in range(4, 26) for extra in range(3)]
s3.put_object(Bucket=bucket, Key="cars/cars.csv", Body="speed,dist\n" + "\n".join(rows))
s3.put_object(Bucket=bucket, Key="cars/by_speed.py", Body=SCRIPT)

folder = pathlib.Path(tempfile.mkdtemp())
(folder / "read.py").write_text(READ)
reader = Lambda(
    function_name="sagemaker-sdk-read",
    execution_role_arn=os.environ["READING_ROLE"],
    script=str(folder / "read.py"),
    handler="read.handler",
    timeout=60,
    session=session,
)


def config(output: str) -> EMRStepConfig:
    return EMRStepConfig(
        jar="command-runner.jar",
        args=[
            *("spark-submit", "--deploy-mode", "cluster", f"s3://{bucket}/cars/by_speed.py"),
            *("--input", f"s3://{bucket}/cars/cars.csv", "--output", output),
        ],
    )


def read_after(step: EMRStep, name: str, where: str) -> LambdaStep:
    return LambdaStep(
        name=name,
        lambda_func=reader,
        inputs={"where": where, "emr_step": step.properties.Id},
        outputs=[
            LambdaOutput(output_name="speeds", output_type=LambdaOutputTypeEnum.Integer),
            LambdaOutput(output_name="done", output_type=LambdaOutputTypeEnum.Boolean),
        ],
        depends_on=[step],
    )


cluster = emr.run_job_flow(
    Name="sdk",
    ReleaseLabel="emr-6.6.0",
    Applications=[{"Name": "Spark"}],
    Instances={"KeepJobFlowAliveWhenNoSteps": True},
    JobFlowRole=os.environ["EMR_PROFILE"],
    ServiceRole=os.environ["EMR_ROLE"],
)["JobFlowId"]
cluster_id = ParameterString(name="ClusterId")
outputs = {name: f"s3://{bucket}/cars/{name}/" for name in ("existing", "own")}
existing = EMRStep(
    name="OnACluster",
    display_name="on a cluster",
    description="by speed",
    cluster_id=cluster_id,
    step_config=config(outputs["existing"]),
)
own = EMRStep(
    name="OnItsOwn",
    display_name="on its own",
    description="by speed",
    cluster_id=None,
    step_config=config(outputs["own"]),
    cluster_config={
        "Applications": [{"Name": "Spark"}],
        "Instances": {
            "InstanceGroups": [
                {"InstanceRole": "MASTER", "InstanceCount": 1, "InstanceType": "m5.2xlarge"},
                {"InstanceRole": "CORE", "InstanceCount": 2, "InstanceType": "m5.2xlarge"},
            ]
        },
        "BootstrapActions": [],
        "ReleaseLabel": "emr-6.6.0",
        "JobFlowRole": os.environ["EMR_PROFILE"],
        "ServiceRole": os.environ["EMR_ROLE"],
        "LogUri": f"s3://{bucket}/emr-logs/",
    },
    depends_on=[existing],
)
steps = [
    existing,
    read_after(existing, "ReadExisting", outputs["existing"]),
    own,
    read_after(own, "ReadOwn", outputs["own"]),
]
pipeline = Pipeline(name="SdkEmr", parameters=[cluster_id], steps=steps, sagemaker_session=session)
pipeline.upsert(role_arn=role)
execution = pipeline.start(parameters={"ClusterId": cluster})
execution.wait(delay=1, max_attempts=180)
listed = {step["StepName"]: step for step in execution.list_steps()}
for name in ("ReadExisting", "ReadOwn"):
    told = {each["Name"]: each["Value"] for each in listed[name]["Metadata"]["Lambda"]["OutputParameters"]}
    assert told == {"speeds": "22", "done": "true"}, json.dumps(told)
assert listed["OnACluster"]["Metadata"]["EMR"]["ClusterId"] == cluster
made = listed["OnItsOwn"]["Metadata"]["EMR"]
assert emr.describe_cluster(ClusterId=made["ClusterId"])["Cluster"]["Status"]["State"] == "TERMINATED"
logs = s3.list_objects_v2(Bucket=bucket, Prefix=f"emr-logs/{made['ClusterId']}/steps/{made['StepId']}/")
assert sorted(each["Key"].rpartition("/")[2] for each in logs["Contents"]) == [
    "controller.gz",
    "stderr.gz",
    "stdout.gz",
]
emr.terminate_job_flows(JobFlowIds=[cluster])
for _ in range(60):
    if emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]["State"] == "TERMINATED":
        break
    time.sleep(0.2)
