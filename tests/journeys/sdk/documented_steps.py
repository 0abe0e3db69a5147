"""A Lambda, a Callback and an EMR step as the developer guide has them, with the role of a Studio notebook.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html: the function and the queue
exist, somebody else made them; the step makes its cluster. The notebook's role is the execution's role, too.
"""

import json
import os

import boto3
from sagemaker_sdk import (
    CallbackOutput,
    CallbackOutputTypeEnum,
    CallbackStep,
    EMRStep,
    EMRStepConfig,
    Lambda,
    LambdaOutput,
    LambdaOutputTypeEnum,
    LambdaStep,
    Pipeline,
    PipelineSession,
    get_execution_role,
)

SCRIPT = """
import sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("squares").getOrCreate()
numbers = spark.createDataFrame([(n, n * n) for n in range(10)], ["n", "square"])
numbers.write.mode("overwrite").csv(sys.argv[1])
"""

session = PipelineSession()
role = get_execution_role(session)
bucket = session.default_bucket()
s3 = boto3.client("s3")
s3.put_object(Bucket=bucket, Key="documented/squares.py", Body=SCRIPT)

lambda_step = LambdaStep(
    name="MyLambdaStep",
    lambda_func=Lambda(function_arn=os.environ["FUNCTION_ARN"], session=session),
    inputs={"arg1": "foo", "arg2": 5},
    outputs=[
        LambdaOutput(output_name="output1", output_type=LambdaOutputTypeEnum.String),
        LambdaOutput(output_name="output2", output_type=LambdaOutputTypeEnum.Integer),
        LambdaOutput(output_name="output3", output_type=LambdaOutputTypeEnum.Boolean),
        LambdaOutput(output_name="output4", output_type=LambdaOutputTypeEnum.Float),
    ],
)
callback_step = CallbackStep(
    name="MyCallbackStep",
    sqs_queue_url=os.environ["QUEUE_URL"],
    inputs={"arg1": lambda_step.properties.Outputs["output1"], "arg2": 5},
    outputs=[CallbackOutput(output_name="output", output_type=CallbackOutputTypeEnum.String)],
)
emr_step = EMRStep(
    name="EMRSampleStep",
    display_name="EMRSampleStep",
    description="squares, on a cluster of the step's own",
    cluster_id=None,
    step_config=EMRStepConfig(
        jar="command-runner.jar",
        args=["spark-submit", f"s3://{bucket}/documented/squares.py", f"s3://{bucket}/documented/squares"],
    ),
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
    },
    depends_on=[callback_step],
)
steps = [lambda_step, callback_step, *([] if "WITHOUT_SPARK" in os.environ else [emr_step])]
pipeline = Pipeline(name="Documented", steps=steps, sagemaker_session=session)
pipeline.upsert(role_arn=role)
execution = pipeline.start()
execution.wait(delay=1, max_attempts=180)
told = {step["StepName"]: step for step in execution.list_steps()}
returned = {
    each["Name"]: each["Value"] for each in told["MyLambdaStep"]["Metadata"]["Lambda"]["OutputParameters"]
}
assert returned == {"output1": "foo", "output2": "5", "output3": "true", "output4": "2.0"}, json.dumps(
    returned
)
answered = told["MyCallbackStep"]["Metadata"]["Callback"]["OutputParameters"]
assert answered == [{"Name": "output", "Value": "foo was seen"}], answered
if emr_step in steps:
    keys = [
        each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="documented/squares/")["Contents"]
    ]
    assert "documented/squares/_SUCCESS" in keys, keys
