"""Lambda steps whose functions the SDK's helper makes: from a script, and from a folder through S3.

Run as a user runs it; the test looks at what is left.
"""

import io
import os
import pathlib
import shutil
import tempfile
import zipfile

import boto3
from sagemaker_sdk import (
    FailStep,
    Join,
    Lambda,
    LambdaOutput,
    LambdaOutputTypeEnum,
    LambdaStep,
    ParameterInteger,
    Pipeline,
    PipelineSession,
    get_execution_role,
)

session = PipelineSession()
role = get_execution_role(session)
function_role = os.environ["FUNCTION_ROLE"]
folder = pathlib.Path(tempfile.mkdtemp())

script = folder / "double.py"
script.write_text("def handler(event, context):\n    return {'doubled': event['n'] * 2, 'note': 'first'}\n")

archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as opened:
    opened.writestr("python/punctuation.py", "END = '!'\n")
layer = boto3.client("lambda").publish_layer_version(
    LayerName="sagemaker-sdk-layer", Content={"ZipFile": archive.getvalue()}
)["LayerVersionArn"]

package = folder / "package"
package.mkdir()
(package / "app.py").write_text(
    "from words import say\n\ndef handler(event, context):\n    return say(event)\n"
)
(package / "words.py").write_text(
    "from punctuation import END\n\n"
    "def say(event):\n    return {'said': f\"{event['n']} {event['note']}{END}\"}\n"
)

number = ParameterInteger(name="Number", default_value=21)

double = LambdaStep(
    name="Double",
    lambda_func=Lambda(
        function_name="sagemaker-sdk-double",
        execution_role_arn=function_role,
        script=str(script),
        handler="double.handler",
        session=session,
    ),
    inputs={"n": number},
    outputs=[
        LambdaOutput(output_name="doubled", output_type=LambdaOutputTypeEnum.Integer),
        LambdaOutput(output_name="note", output_type=LambdaOutputTypeEnum.String),
    ],
)
say = LambdaStep(
    name="Say",
    lambda_func=Lambda(
        function_name="sagemaker-sdk-say",
        execution_role_arn=function_role,
        zipped_code_dir=shutil.make_archive(str(folder / "package"), "zip", package),
        s3_bucket=session.default_bucket(),
        handler="app.handler",
        timeout=30,
        layers=[layer],
        session=session,
    ),
    inputs={
        "n": double.properties.Outputs["doubled"],
        "note": double.properties.Outputs["note"],
    },
    outputs=[LambdaOutput(output_name="said", output_type=LambdaOutputTypeEnum.String)],
)
pipeline = Pipeline(name="SdkLambda", parameters=[number], steps=[double, say], sagemaker_session=session)


def said(execution):
    """What the second function answered."""
    execution.wait(delay=1, max_attempts=60)
    steps = {step["StepName"]: step for step in execution.list_steps()}
    assert [step["StepStatus"] for step in steps.values()] == ["Succeeded", "Succeeded"], steps
    outputs = steps["Say"]["Metadata"]["Lambda"]["OutputParameters"]
    return {each["Name"]: each["Value"] for each in outputs}["said"]


assert pipeline.upsert(role_arn=role)["PipelineArn"].endswith(":pipeline/SdkLambda")
assert said(pipeline.start()) == "42 first!"
assert said(pipeline.start(parameters={"Number": 5})) == "10 first!"

script.write_text("def handler(event, context):\n    return {'doubled': event['n'] * 2, 'note': 'second'}\n")
pipeline.upsert(role_arn=role, tags=[{"Key": "team", "Value": "ml"}])
assert said(pipeline.start()) == "42 second!"

double.lambda_func.update()
pipeline.update(role_arn=role, description="updated")
assert pipeline.describe()["PipelineDescription"] == "updated"

invoked = Lambda(function_arn="sagemaker-sdk-double", session=session)
assert invoked.invoke()["StatusCode"] == 200

told = FailStep(
    name="Fail",
    error_message=Join(on=" ", values=["it was doubled to", double.properties.Outputs["doubled"]]),
)
failing = Pipeline(name="SdkTold", parameters=[number], steps=[double, told], sagemaker_session=session)
failing.create(role_arn=role)
execution = failing.start()
try:
    execution.wait(delay=1, max_attempts=60)
    raise SystemExit("the execution should have failed")
except Exception as error:  # the SDK's waiter raises WaiterError
    assert "Max attempts" not in str(error), error
steps = execution.list_steps()
assert [step["StepName"] for step in steps] == ["Fail", "Double"], steps
assert steps[0]["FailureReason"] == "it was doubled to 42", steps
