"""A model deployed by version 2 of the SDK, asked, updated by a pipeline's steps, asked again, deleted.

https://sagemaker.readthedocs.io/en/stable/overview.html
"""

import io
import json
import pathlib
import tarfile

import boto3
import sagemaker
from sagemaker.deserializers import JSONDeserializer
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn.model import SKLearnModel, SKLearnPredictor
from sagemaker.workflow.endpoint_step import EndpointConfigStep, EndpointStep
from sagemaker.workflow.execution_variables import ExecutionVariables
from sagemaker.workflow.functions import Join
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession

CODE = pathlib.Path(__file__).parent / "register"
NAME = "SdkEndpoint"

session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
bucket = session.default_bucket()


def uploaded(mean: float) -> str:
    """An archive whose model is this mean."""
    content, packed = json.dumps(mean).encode(), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("mean.json")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    key = f"SdkEndpoint/{mean}/model.tar.gz"
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=packed.getvalue())
    return f"s3://{bucket}/{key}"


def model(mean: float, on: sagemaker.Session) -> SKLearnModel:
    return SKLearnModel(
        model_data=uploaded(mean),
        entry_point=str(CODE / "inference.py"),
        framework_version="1.2-1",
        sagemaker_session=on,
        role=role,
    )


formats = {"serializer": CSVSerializer(), "deserializer": JSONDeserializer()}
predictor = model(2, session).deploy(
    initial_instance_count=1, instance_type="ml.m5.large", endpoint_name=NAME, **formats
)
assert predictor.predict([1, 2]) == [-1.0, 0.0]
assert predictor.predict([5], target_variant="AllTraffic") == [3.0]

pipeline_session = PipelineSession()
create = ModelStep(name="Create", step_args=model(10, pipeline_session).create(instance_type="ml.m5.large"))
config = EndpointConfigStep(
    name="Config",
    step_args=pipeline_session.create_endpoint_config(
        name=Join(on="-", values=[NAME, ExecutionVariables.PIPELINE_EXECUTION_ID]),
        model_name=create.properties.ModelName,
        initial_instance_count=1,
        instance_type="ml.m5.large",
    ),
)
endpoint = EndpointStep(
    name="Endpoint",
    step_args=pipeline_session.create_endpoint(
        endpoint_name=NAME, config_name=config.properties.EndpointConfigName
    ),
)
pipeline = Pipeline(name=NAME, steps=[create, config, endpoint], sagemaker_session=pipeline_session)
pipeline.upsert(role_arn=role)
execution = pipeline.start()
execution.wait(delay=1, max_attempts=120)
steps = {step["StepName"]: step for step in execution.list_steps()}
assert {step["StepStatus"] for step in steps.values()} == {"Succeeded"}, steps
assert steps["Endpoint"]["Metadata"]["Endpoint"]["Arn"].endswith(f":endpoint/{NAME}"), steps
configured = steps["Config"]["Metadata"]["EndpointConfig"]["Arn"].rpartition("/")[2]
assert configured.startswith(f"{NAME}-"), steps

again = SKLearnPredictor(NAME, sagemaker_session=session, **formats)
assert again.predict([1, 2]) == [-9.0, -8.0]
described = boto3.client("sagemaker").describe_endpoint(EndpointName=NAME)
assert described["EndpointConfigName"] == configured, described

again.delete_endpoint()
waiter = boto3.client("sagemaker").get_waiter("endpoint_deleted")
waiter.wait(EndpointName=NAME, WaiterConfig={"Delay": 1})
