"""EMR Serverless in version 3 of the SDK: a step on an application that is there, and one that makes its own.

Run as a user runs it; the test looks at what is left.
"""

import os

import boto3
from sagemaker.core.helper.session_helper import get_execution_role
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.emr_serverless_step import EMRServerlessJobConfig, EMRServerlessStep
from sagemaker.mlops.workflow.pipeline import Pipeline

DOUBLES = """
import sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
rows = spark.read.csv(sys.argv[1]).collect()
spark.createDataFrame([(2 * int(number),) for (number,) in rows]).coalesce(1).write.csv(sys.argv[2])
"""
APPLICATION = {"type": "SPARK", "releaseLabel": "emr-7.1.0", "name": "SdkServerless"}

session = PipelineSession()
bucket = session.default_bucket()
s3 = boto3.client("s3")
s3.put_object(Bucket=bucket, Key="serverless/double.py", Body=DOUBLES)
s3.put_object(Bucket=bucket, Key="serverless/in/numbers.csv", Body="1\n2\n3\n")
serverless = boto3.client("emr-serverless")
there = serverless.create_application(**APPLICATION)["applicationId"]
source = ParameterString("Source", default_value=f"s3://{bucket}/serverless/in")


def job(place: object, target: str) -> EMRServerlessJobConfig:
    """Reads numbers there, and writes their doubles here."""
    driver = {"entryPoint": f"s3://{bucket}/serverless/double.py", "entryPointArguments": [place, target]}
    return EMRServerlessJobConfig(
        job_driver={"sparkSubmit": driver}, execution_role_arn=os.environ["SERVERLESS_ROLE"], name="double"
    )


once, twice = f"s3://{bucket}/serverless/once", f"s3://{bucket}/serverless/twice"
first = EMRServerlessStep(
    name="Once",
    display_name="Once",
    description="Doubles on an application that is there",
    job_config=job(source, once),
    application_id=there,
)
second = EMRServerlessStep(
    name="Twice",
    display_name="Twice",
    description="Doubles on an application of its own",
    job_config=job(once, twice),
    application_id=None,
    application_config=APPLICATION,
    depends_on=[first],
)
pipeline = Pipeline("SdkServerless", [source], steps=[first, second], sagemaker_session=session)
pipeline.upsert(get_execution_role(session))
execution = pipeline.start()
execution.wait(delay=1, max_attempts=200)
steps = {step["StepName"]: step["Metadata"]["EMRServerless"] for step in execution.list_steps()}
assert steps["Once"]["ApplicationId"] == there != steps["Twice"]["ApplicationId"], steps
run = serverless.get_job_run(applicationId=there, jobRunId=steps["Once"]["JobRunId"])["jobRun"]
assert (run["state"], run["name"]) == ("SUCCESS", "double"), run
