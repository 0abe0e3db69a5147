"""A model deployed by version 3 of the SDK, asked, updated by a pipeline's steps, asked again, deleted.

https://github.com/aws/sagemaker-python-sdk/tree/master/v3-examples
"""

import io
import json
import pathlib
import tarfile

import boto3
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role, production_variant
from sagemaker.core.resources import Endpoint
from sagemaker.core.training.configs import SourceCode
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.endpoint_step import EndpointConfigStep, EndpointStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.serve.model_builder import ModelBuilder

CODE = pathlib.Path(__file__).parent / "register"
NAME = "SdkEndpoint"

session = Session()
role = get_execution_role(session)
bucket = session.default_bucket()
image = image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1", instance_type="ml.m5.large")


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


def builder(mean: float, on: Session) -> ModelBuilder:
    """A model of this mean, with the handlers put into its archive."""
    return ModelBuilder(
        s3_model_data_url=uploaded(mean),
        image_uri=image,
        source_code=SourceCode(source_dir=str(CODE), entry_script="inference.py"),
        instance_type="ml.m5.large",
        role_arn=role,
        sagemaker_session=on,
    )


def asked(endpoint: Endpoint, body: str) -> object:
    """The endpoint's answer."""
    return json.loads(endpoint.invoke(body=body, content_type="text/csv").body.read())


first = builder(2, session)
first.build()
endpoint = first.deploy(endpoint_name=NAME, initial_instance_count=1, instance_type="ml.m5.large")
assert asked(endpoint, "1,2") == [-1.0, 0.0]

pipeline_session = PipelineSession()
create = ModelStep(name="Create", step_args=builder(10, pipeline_session).build())
variant = production_variant(
    model_name=create.properties.ModelName, instance_type="ml.m5.large", initial_instance_count=1
)
config = EndpointConfigStep(
    name="Config",
    step_args=pipeline_session.create_endpoint_config(
        name=Join(on="-", values=[NAME, ExecutionVariables.PIPELINE_EXECUTION_ID]),
        production_variants=[variant],
    ),
)
update = EndpointStep(
    name="Endpoint",
    step_args=pipeline_session.create_endpoint(
        endpoint_name=NAME, config_name=config.properties.EndpointConfigName
    ),
)
pipeline = Pipeline(name=NAME, steps=[create, config, update], sagemaker_session=pipeline_session)
pipeline.upsert(role_arn=role)
execution = pipeline.start()
execution.wait(delay=1, max_attempts=120)
steps = {step["StepName"]: step for step in execution.list_steps()}
assert {step["StepStatus"] for step in steps.values()} == {"Succeeded"}, steps
assert steps["Endpoint"]["Metadata"]["Endpoint"]["Arn"].endswith(f":endpoint/{NAME}"), steps
configured = steps["Config"]["Metadata"]["EndpointConfig"]["Arn"].rpartition("/")[2]
assert configured.startswith(f"{NAME}-"), steps

again = Endpoint.get(NAME)
assert (again.endpoint_config_name, again.endpoint_status) == (configured, "InService"), again
assert asked(again, "1,2") == [-9.0, -8.0]

again.delete()
again.wait_for_delete(poll=1)
