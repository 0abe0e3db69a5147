"""Work elsewhere: a Callback step asks for it by a queue, and what is answered is the input of a job."""

import os
import pathlib
import tempfile

import boto3
import parts
from sagemaker.inputs import TrainingInput
from sagemaker.lambda_helper import Lambda
from sagemaker.workflow.callback_step import CallbackOutput, CallbackOutputTypeEnum, CallbackStep
from sagemaker.workflow.parameters import ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.steps import TrainingStep

GLUE = """
import json
import boto3

def handler(event, context):
    sagemaker = boto3.client("sagemaker")
    for record in event["Records"]:
        message = json.loads(record["body"])
        given = message["arguments"]
        if given["rows"] == "none":
            sagemaker.send_pipeline_execution_step_failure(
                CallbackToken=message["token"], FailureReason="the crawler found no rows"
            )
            continue
        sagemaker.send_pipeline_execution_step_success(
            CallbackToken=message["token"],
            OutputParameters=[{"Name": "place", "Value": given["place"]}, {"Name": "count", "Value": "41"}],
        )
"""

script = pathlib.Path(tempfile.mkdtemp()) / "glue.py"
script.write_text(GLUE)
function = Lambda(
    function_name="sagemaker-notebook-glue",
    execution_role_arn=os.environ["CALLBACK_ROLE"],
    script=str(script),
    handler="glue.handler",
    timeout=20,
    session=parts.own_session,
).upsert()["FunctionArn"]
sqs = boto3.client("sqs")
queue = sqs.create_queue(QueueName="notebook-glue", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
boto3.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=function, BatchSize=1)

rows = ParameterString(name="Rows", default_value="some")
extract = CallbackStep(
    name="Extract",
    sqs_queue_url=queue,
    inputs={"place": parts.raw_data("etl"), "rows": rows},
    outputs=[
        CallbackOutput(output_name="place", output_type=CallbackOutputTypeEnum.String),
        CallbackOutput(output_name="count", output_type=CallbackOutputTypeEnum.Integer),
    ],
)
preprocess = parts.preprocessing(extract.properties.Outputs["place"])
train = TrainingStep(
    name="Train",
    step_args=parts.estimator(count=extract.properties.Outputs["count"]).fit(
        {"train": TrainingInput(parts.output(preprocess, "train"))}
    ),
)
pipeline = Pipeline(
    name="Etl", parameters=[rows], steps=[extract, preprocess, train], sagemaker_session=parts.session
)
ran = parts.succeeded(pipeline)
name = ran["Train"]["Metadata"]["TrainingJob"]["Arn"].split("/")[-1]
given = boto3.client("sagemaker").describe_training_job(TrainingJobName=name)["HyperParameters"]
assert given["count"] == "41", given

step = parts.failed(pipeline, {"Rows": "none"})["Extract"]
assert step["FailureReason"] == "the crawler found no rows", step
