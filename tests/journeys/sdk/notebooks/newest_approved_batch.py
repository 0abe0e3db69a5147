"""Batch inference: a function finds the newest approved version, of which a model is made for a transform."""

import os
import pathlib
import tempfile

import parts
from sagemaker.inputs import TrainingInput
from sagemaker.lambda_helper import Lambda
from sagemaker.model import Model
from sagemaker.transformer import Transformer
from sagemaker.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.steps import TrainingStep, TransformStep

FIND = """
import boto3

def handler(event, context):
    sagemaker = boto3.client("sagemaker")
    found = sagemaker.list_model_packages(
        ModelPackageGroupName=event["group"],
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=1,
    )["ModelPackageSummaryList"]
    arn = found[0]["ModelPackageArn"]
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    (container,) = described["InferenceSpecification"]["Containers"]
    code = container["Environment"]["SAGEMAKER_SUBMIT_DIRECTORY"]
    return {"arn": arn, "image": container["Image"], "artefact": container["ModelDataUrl"], "code": code}
"""

preprocess = parts.preprocessing(parts.raw_data("newest"))
group = ParameterString(name="Group", default_value="Newest")
shrunk = ParameterString(name="Shrink", default_value="0.0")
approval = ParameterString(name="Approval", default_value="Approved")
train = TrainingStep(
    name="Train",
    step_args=parts.estimator(shrink=shrunk).fit({"train": TrainingInput(parts.output(preprocess, "train"))}),
)
register = ModelStep(
    name="Register",
    step_args=parts.served(train.properties.ModelArtifacts.S3ModelArtifacts).register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        model_package_group_name=group,
        approval_status=approval,
    ),
)
build = Pipeline(
    name="NewestBuild",
    parameters=[group, shrunk, approval],
    steps=[preprocess, train, register],
    sagemaker_session=parts.session,
)
for given in ({}, {"Shrink": "0.5", "Approval": "Rejected"}):
    parts.succeeded(build, given)

script = pathlib.Path(tempfile.mkdtemp()) / "finds.py"
script.write_text(FIND)
find = LambdaStep(
    name="Find",
    lambda_func=Lambda(
        function_name="sagemaker-notebook-finds",
        execution_role_arn=os.environ["REGISTRY_ROLE"],
        script=str(script),
        handler="finds.handler",
        session=parts.own_session,
    ),
    inputs={"group": group},
    outputs=[
        LambdaOutput(output_name=each, output_type=LambdaOutputTypeEnum.String)
        for each in ("arn", "image", "artefact", "code")
    ],
)
model = Model(
    image_uri=find.properties.Outputs["image"],
    model_data=find.properties.Outputs["artefact"],
    role=parts.role,
    env={
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": find.properties.Outputs["code"],
    },
    sagemaker_session=parts.session,
)
create = ModelStep(name="Create", step_args=model.create(instance_type="ml.m5.large"))
batch = parts.own_session.upload_string_as_file_body("1\n10\n", parts.bucket, "newest/batch/rows.csv")
transformer = Transformer(
    model_name=create.properties.ModelName,
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{parts.bucket}/newest/predicted",
    accept="text/csv",
    assemble_with="Line",
    sagemaker_session=parts.session,
)
predict = TransformStep(
    name="Predict", step_args=transformer.transform(batch, content_type="text/csv", split_type="Line")
)
steps = [find, create, predict]
pipeline = Pipeline(name="NewestBatch", parameters=[group], steps=steps, sagemaker_session=parts.session)
ran = parts.succeeded(pipeline)
told = {each["Name"]: each["Value"] for each in ran["Find"]["Metadata"]["Lambda"]["OutputParameters"]}
assert told["arn"].endswith("/1"), told
predicted = parts.own_session.read_s3_file(parts.bucket, "newest/predicted/rows.csv.out").split()
assert predicted == ["2.000", "20.000"], predicted
