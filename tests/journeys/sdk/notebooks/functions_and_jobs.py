"""Functions and jobs in one pipeline: one writes what a job trains on, one reads what it trained."""

import json
import pathlib
import tarfile
import tempfile

import parts
from sagemaker.inputs import TrainingInput
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThan
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.function_step import step
from sagemaker.workflow.parameters import ParameterInteger
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.steps import TrainingStep

requirements = pathlib.Path(tempfile.mkdtemp()) / "requirements.txt"
requirements.write_text("boto3\n")
job = {
    "role": parts.role,
    "instance_type": "ml.m5.large",
    "image_uri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/any:1",
    "dependencies": str(requirements),
}


@step(name="Make", **job)
def make(place, count):
    import boto3

    bucket, _, key = place.removeprefix("s3://").partition("/")
    rows = "".join(f"{3 * each},{each}\n" for each in range(1, count))
    boto3.client("s3").put_object(Bucket=bucket, Key=f"{key}/rows.csv", Body=rows)
    return {"place": place, "rows": count - 1}


@step(name="Read", **job)
def read(artefact):
    import io

    import boto3

    bucket, _, key = artefact.removeprefix("s3://").partition("/")
    body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        return json.load(tar.extractfile("slope.json"))


count = ParameterInteger(name="Count", default_value=9)
made = make(f"s3://{parts.bucket}/mixed", count)
train = TrainingStep(
    name="Train",
    step_args=parts.estimator().fit({"train": TrainingInput(f"s3://{parts.bucket}/mixed")}),
    depends_on=[made],
)
slope = read(train.properties.ModelArtifacts.S3ModelArtifacts)
decide = ConditionStep(
    name="Decide",
    conditions=[ConditionLessThan(left=slope, right=4.0)],
    if_steps=[],
    else_steps=[FailStep(name="Steep", error_message="too steep")],
)
pipeline = Pipeline(
    name="Mixed", parameters=[count], steps=[made, train, decide], sagemaker_session=parts.session
)
ran = parts.succeeded(pipeline)
assert set(ran) == {"Make", "Train", "Read", "Decide"}, ran
assert ran["Decide"]["Metadata"]["Condition"]["Outcome"] == "True", ran
