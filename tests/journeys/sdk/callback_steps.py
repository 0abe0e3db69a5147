"""A Callback step that a function behind an event source mapping answers, the second time it is asked."""

import json
import os
import pathlib
import tempfile

import boto3
from sagemaker_sdk import (
    CallbackOutput,
    CallbackOutputTypeEnum,
    CallbackStep,
    Lambda,
    ParameterString,
    Pipeline,
    PipelineSession,
    get_execution_role,
)

ANSWER = """
import json
import boto3

def handler(event, context):
    for record in event["Records"]:
        if record["attributes"]["ApproximateReceiveCount"] == "1":
            raise RuntimeError("the work is not done yet")
        message = json.loads(record["body"])
        boto3.client("sagemaker").send_pipeline_execution_step_success(
            CallbackToken=message["token"],
            OutputParameters=[
                {"Name": "rows", "Value": str(message["arguments"]["rows"] + 1)},
                {"Name": "unasked", "Value": "x"},
            ],
        )
"""

session = PipelineSession()
role = get_execution_role(session)
script = pathlib.Path(tempfile.mkdtemp()) / "answer.py"
script.write_text(ANSWER)
function = Lambda(
    function_name="sagemaker-sdk-answer",
    execution_role_arn=os.environ["ANSWERING_ROLE"],
    script=str(script),
    handler="answer.handler",
    timeout=2,
    session=session,
).create()

queue_url = boto3.client("sqs").create_queue(
    QueueName="sagemaker-sdk-callbacks", Attributes={"VisibilityTimeout": "2"}
)["QueueUrl"]
queue_arn = boto3.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
boto3.client("lambda").create_event_source_mapping(
    EventSourceArn=queue_arn["Attributes"]["QueueArn"], FunctionName=function["FunctionArn"], BatchSize=10
)

queue = ParameterString(name="QueueUrl")
ask = CallbackStep(
    name="Ask",
    sqs_queue_url=queue,
    inputs={"rows": 41, "name": "cars"},
    outputs=[CallbackOutput(output_name="rows", output_type=CallbackOutputTypeEnum.Integer)],
)
again = CallbackStep(
    name="Again", sqs_queue_url=queue, inputs={"rows": ask.properties.Outputs["rows"]}, outputs=[]
)
pipeline = Pipeline(name="SdkCallback", parameters=[queue], steps=[ask, again], sagemaker_session=session)
pipeline.upsert(role_arn=role)
execution = pipeline.start(parameters={"QueueUrl": queue_url})
execution.wait(delay=1, max_attempts=60)
steps = execution.list_steps()
assert [step["StepName"] for step in steps] == ["Again", "Ask"], steps
outputs = {
    step["StepName"]: {
        each["Name"]: each["Value"] for each in step["Metadata"]["Callback"]["OutputParameters"]
    }
    for step in steps
}
assert outputs["Ask"]["rows"] == "42", json.dumps(outputs)
assert outputs["Again"]["rows"] == "43", json.dumps(outputs)
