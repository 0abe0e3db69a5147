"""Train, then register and create the model, as version 3 of the SDK writes it: ModelStep and its repacking.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-model

A rule on the approval starts a function that deploys. Run as a user runs it; the test approves.
"""

import os
import pathlib

import boto3
from approvals import start_when_approved
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.resources import ModelPackage
from sagemaker.core.shapes import OutputDataConfig
from sagemaker.core.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import StepExceptionTypeEnum, StepRetryPolicy
from sagemaker.mlops.workflow.steps import TrainingStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, MetricDefinition, SourceCode

CODE = pathlib.Path(__file__).parent / "register"
GROUP = "SdkModels"

session = PipelineSession()
role = get_execution_role(Session())
bucket = session.default_bucket()
numbers = Session().upload_string_as_file_body("1\n2\n3\n", bucket, "SdkModels/in/numbers.csv")
sklearn = image_uris.retrieve(
    "sklearn", session.boto_region_name, version="1.2-1", instance_type="ml.m5.large"
)
pytorch = image_uris.retrieve(
    "pytorch",
    session.boto_region_name,
    version="2.0",
    py_version="py310",
    instance_type="ml.m5.large",
    image_scope="inference",
)

approval = ParameterString("Approval", default_value="PendingManualApproval")
trainer = ModelTrainer(
    training_image=sklearn,
    source_code=SourceCode(source_dir=str(CODE), entry_script="train.py"),
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/SdkModels/out"),
    base_job_name="SdkModels",
    sagemaker_session=session,
    role=role,
).with_metric_definitions([MetricDefinition(name="validation:mse", regex="validation-mse=(.*?);")])
train = TrainingStep(
    name="Train",
    step_args=trainer.train(
        input_data_config=[InputData(channel_name="train", data_source=numbers.rpartition("/")[0])]
    ),
)
artefact = train.properties.ModelArtifacts.S3ModelArtifacts


def builder(image: str) -> ModelBuilder:
    """The model that is trained, with the handlers packed into its archive when it is there."""
    return ModelBuilder(
        s3_model_data_url=artefact,
        image_uri=image,
        source_code=SourceCode(source_dir=str(CODE), entry_script="inference.py"),
        instance_type="ml.m5.large",
        sagemaker_session=session,
        role_arn=role,
    )


metrics = ModelMetrics(
    model_statistics=MetricsSource(
        content_type="application/json",
        s3_uri=Join(on="/", values=[f"s3://{bucket}/SdkModels", train.properties.TrainingJobName]),
    )
)
register = ModelStep(
    name="Reg",
    step_args=builder(pytorch).register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.t2.medium"],
        transform_instances=["ml.m5.large"],
        model_package_group_name=GROUP,
        approval_status=approval,
        model_metrics=metrics,
        customer_metadata_properties={"owner": "ada"},
    ),
    retry_policies=[StepRetryPolicy(exception_types=[StepExceptionTypeEnum.THROTTLING], max_attempts=2)],
)
create = ModelStep(name="Create", step_args=builder(sklearn).build())
check = ConditionStep(
    name="Check",
    conditions=[
        ConditionLessThanOrEqualTo(
            left=train.properties.FinalMetricDataList["validation:mse"].Value, right=6.0
        )
    ],
    if_steps=[register, create],
    else_steps=[FailStep(name="Bad", error_message="too far off")],
)
pipeline = Pipeline(name=GROUP, parameters=[approval], steps=[train, check], sagemaker_session=session)

function = Lambda(
    function_name="sagemaker-sdk-deploy",
    execution_role_arn=os.environ["DEPLOYING_ROLE"],
    script=str(CODE / "deploy.py"),
    handler="deploy.handler",
    timeout=60,
    environment={"Variables": {"MODEL_ROLE": role}},
    session=Session(),
).upsert()["FunctionArn"]
start_when_approved(function, GROUP)

pipeline.upsert(role_arn=role)
execution = pipeline.start()
try:
    execution.wait(delay=1, max_attempts=120)
except Exception as error:
    assert "Max attempts" not in str(error), error
steps = {step["StepName"]: step for step in execution.list_steps()}
assert {step["StepStatus"] for step in steps.values()} == {"Succeeded"}, steps
repacked = [name for name in steps if "-RepackModel-" in name]
assert {name.partition("-")[0] for name in repacked} == {"Reg", "Create"}, steps
assert set(steps) == {"Train", "Check", "Reg", "Create", *repacked}, steps
package = steps["Reg"]["Metadata"]["RegisterModel"]["Arn"]
described = boto3.client("sagemaker").describe_model_package(ModelPackageName=package)
assert described["CustomerMetadataProperties"] == {"owner": "ada"}, described
assert described["MetadataProperties"] == {"GeneratedBy": execution.arn}, described
statistics = described["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
assert statistics.startswith(f"s3://{bucket}/SdkModels/pipelines-"), described
loaded = ModelPackage.get(package)
assert loaded.model_approval_status == "PendingManualApproval", loaded
