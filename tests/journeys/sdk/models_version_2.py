"""Train, then register and create the model, as version 2 of the SDK writes it: ModelStep and its repacking.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-model

A rule on the approval starts a function that deploys. Run as a user runs it; the test approves.
"""

import json
import os
import pathlib

import boto3
import sagemaker
from sagemaker.lambda_helper import Lambda
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.pytorch.model import PyTorchModel
from sagemaker.sklearn.estimator import SKLearn
from sagemaker.sklearn.model import SKLearnModel
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.retry import StepExceptionTypeEnum, StepRetryPolicy
from sagemaker.workflow.steps import TrainingStep

CODE = pathlib.Path(__file__).parent / "register"
GROUP = "SdkModels"

session = PipelineSession()
role = sagemaker.get_execution_role(sagemaker.Session())
bucket = session.default_bucket()
numbers = sagemaker.Session().upload_string_as_file_body("1\n2\n3\n", bucket, "SdkModels/in/numbers.csv")

approval = ParameterString("Approval", default_value="PendingManualApproval")
estimator = SKLearn(
    entry_point="train.py",
    source_dir=str(CODE),
    framework_version="1.2-1",
    instance_type="ml.m5.large",
    output_path=f"s3://{bucket}/SdkModels/out",
    metric_definitions=[{"Name": "validation:mse", "Regex": "validation-mse=(.*?);"}],
    sagemaker_session=session,
    role=role,
)
train = TrainingStep(name="Train", step_args=estimator.fit({"train": numbers.rpartition("/")[0]}))
artefact = train.properties.ModelArtifacts.S3ModelArtifacts

packed = PyTorchModel(
    model_data=artefact,
    entry_point=str(CODE / "inference.py"),
    framework_version="2.0",
    py_version="py310",
    sagemaker_session=session,
    role=role,
)
metrics = ModelMetrics(
    model_statistics=MetricsSource(
        content_type="application/json",
        s3_uri=Join(on="/", values=[f"s3://{bucket}/SdkModels", train.properties.TrainingJobName]),
    )
)
register = ModelStep(
    name="Reg",
    step_args=packed.register(
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
plain = SKLearnModel(
    model_data=artefact,
    entry_point=str(CODE / "inference.py"),
    framework_version="1.2-1",
    sagemaker_session=session,
    role=role,
)
create = ModelStep(name="Create", step_args=plain.create(instance_type="ml.m5.large"))
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
    session=sagemaker.Session(),
).upsert()["FunctionArn"]
pattern = {
    "source": ["aws.sagemaker"],
    "detail-type": ["SageMaker Model Package State Change"],
    "detail": {"ModelPackageGroupName": [GROUP], "ModelApprovalStatus": ["Approved"]},
}
events = boto3.client("events")
rule = events.put_rule(Name="sdk-models-approved", EventPattern=json.dumps(pattern))["RuleArn"]
events.put_targets(Rule="sdk-models-approved", Targets=[{"Id": "deploy", "Arn": function}])
boto3.client("lambda").add_permission(
    FunctionName=function,
    StatementId="rule",
    Action="lambda:InvokeFunction",
    Principal="events.amazonaws.com",
    SourceArn=rule,
)

pipeline.upsert(role_arn=role)
execution = pipeline.start()
try:
    execution.wait(delay=1, max_attempts=120)
except Exception as error:
    assert "Max attempts" not in str(error), error
steps = {step["StepName"]: step for step in execution.list_steps()}
assert {step["StepStatus"] for step in steps.values()} == {"Succeeded"}, steps
assert set(steps) == {"Train", "Check", "Reg-RepackModel-0", "Reg-RegisterModel", "Create-CreateModel"}, steps
package = steps["Reg-RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
described = boto3.client("sagemaker").describe_model_package(ModelPackageName=package)
assert described["CustomerMetadataProperties"] == {"owner": "ada"}, described
assert described["MetadataProperties"] == {"GeneratedBy": execution.arn}, described
statistics = described["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
assert statistics.startswith(f"s3://{bucket}/SdkModels/pipelines-"), described
loaded = sagemaker.ModelPackage(role=role, model_package_arn=package, sagemaker_session=sagemaker.Session())
assert loaded.model_package_arn == package
