"""Train, evaluate, and where the model is good a function deploys it; another step asks the endpoint."""

import os
import pathlib
import tempfile

import boto3
import parts
from sagemaker.inputs import TrainingInput
from sagemaker.lambda_helper import Lambda
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThan
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.steps import TrainingStep

DEPLOY = """
import boto3

def handler(event, context):
    sagemaker, name = boto3.client("sagemaker"), event["endpoint"]
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": event["model"],
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=event["config"], ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=event["config"])
    return {"statusCode": 200, "endpoint": name, "off": float(event["off"])}
"""

preprocess = parts.preprocessing(parts.raw_data("deployed"), arguments=["--scale", "1"])
train = TrainingStep(
    name="Train",
    step_args=parts.estimator().fit({"train": TrainingInput(parts.output(preprocess, "train"))}),
)
artefact = train.properties.ModelArtifacts.S3ModelArtifacts
evaluate, report = parts.evaluation(artefact, parts.output(preprocess, "test"))
create = ModelStep(name="Model", step_args=parts.served(artefact).create(instance_type="ml.m5.large"))
script = pathlib.Path(tempfile.mkdtemp()) / "deploys.py"
script.write_text(DEPLOY)
off = JsonGet(step_name="Evaluate", property_file=report, json_path="regression_metrics.rmse.value")
deploy = LambdaStep(
    name="Deploy",
    lambda_func=Lambda(
        function_name="sagemaker-notebook-deploys",
        execution_role_arn=os.environ["DEPLOYING_ROLE"],
        script=str(script),
        handler="deploys.handler",
        timeout=60,
        session=parts.own_session,
    ),
    inputs={
        "model": create.properties.ModelName,
        "config": Join(on="-", values=["notebook", ExecutionVariables.PIPELINE_EXECUTION_ID]),
        "endpoint": "notebook-deployed",
        "off": off,
    },
    outputs=[
        LambdaOutput(output_name="statusCode", output_type=LambdaOutputTypeEnum.Integer),
        LambdaOutput(output_name="endpoint", output_type=LambdaOutputTypeEnum.String),
        LambdaOutput(output_name="off", output_type=LambdaOutputTypeEnum.Float),
    ],
)
decide = ConditionStep(
    name="Good", conditions=[ConditionLessThan(left=off, right=1.0)], if_steps=[create, deploy], else_steps=[]
)
pipeline = Pipeline(
    name="Deployed", steps=[preprocess, train, evaluate, decide], sagemaker_session=parts.session
)
ran = parts.succeeded(pipeline)
told = {each["Name"]: each["Value"] for each in ran["Deploy"]["Metadata"]["Lambda"]["OutputParameters"]}
assert (told["statusCode"], told["endpoint"]) == ("200", "notebook-deployed"), told
sagemaker = boto3.client("sagemaker")
sagemaker.get_waiter("endpoint_in_service").wait(
    EndpointName="notebook-deployed", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
)
asked = {"EndpointName": "notebook-deployed", "ContentType": "text/csv"}
answer = boto3.client("sagemaker-runtime").invoke_endpoint(Body="3\n4", **asked)["Body"].read()
assert answer == b"6.000\n8.000\n", answer
sagemaker.delete_endpoint(EndpointName="notebook-deployed")
