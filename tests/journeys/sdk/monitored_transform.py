"""A batch transform whose predictions are checked: MonitorBatchTransformStep.

Run as a user runs it; the test looks at what is left.
"""

import contextlib
import io
import json
import tarfile

import boto3
from botocore.exceptions import WaiterError
from sagemaker_checks import (
    CheckJobConfig,
    DatasetFormat,
    ModelQualityCheckConfig,
    MonitorBatchTransformStep,
    ParameterString,
    Pipeline,
    PipelineSession,
    Transformer,
    get_execution_role,
    image_uris,
    steps_of,
)

INFERENCE = """
def model_fn(model_dir):
    return 2

def input_fn(body, content_type):
    text = body.decode() if isinstance(body, bytes) else body
    return [float(line) for line in text.splitlines()]

def predict_fn(values, factor):
    return [value * factor for value in values]

def output_fn(values, accept):
    return "\\n".join(map(str, values)), "text/csv"
"""
session = PipelineSession()
role, bucket = get_execution_role(session), session.default_bucket()


def upload(name: str, body: str) -> str:
    return session.upload_string_as_file_body(body, bucket, f"monitored/{name}")


packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w:gz") as tar:
    member = tarfile.TarInfo("code/inference.py")
    member.size = len(INFERENCE)
    tar.addfile(member, io.BytesIO(INFERENCE.encode()))
boto3.client("s3").put_object(Bucket=bucket, Key="monitored/model.tar.gz", Body=packed.getvalue())
image = image_uris.retrieve("sklearn", session.boto_region_name, "1.2-1", instance_type="ml.m5.large")
boto3.client("sagemaker").create_model(
    ModelName="SdkMonitored",
    PrimaryContainer={
        "Image": image_uris.retrieve(
            "sklearn", session.boto_region_name, "1.2-1", instance_type="ml.m5.large"
        ),
        "ModelDataUrl": f"s3://{bucket}/monitored/model.tar.gz",
    },
    ExecutionRoleArn=role,
)
limit = {"threshold": 0.5, "comparison_operator": "GreaterThanThreshold"}
constraints = upload(
    "constraints.json", json.dumps({"version": 0.0, "regression_constraints": {"mae": limit}})
)
statistics = upload("statistics.json", json.dumps({"version": 0.0}))
data = ParameterString("Data")
predicted = f"s3://{bucket}/monitored/predicted"
transformer = Transformer(
    model_name="SdkMonitored",
    instance_count=1,
    instance_type="ml.m5.xlarge",
    output_path=predicted,
    assemble_with="Line",
    accept="text/csv",
    sagemaker_session=session,
)
monitored = MonitorBatchTransformStep(
    name="Predict",
    transform_step_args=transformer.transform(
        data, content_type="text/csv", split_type="Line", input_filter="$[1:]", join_source="Input"
    ),
    monitor_configuration=ModelQualityCheckConfig(
        baseline_dataset=predicted,
        dataset_format=DatasetFormat.csv(header=False),
        output_s3_uri=f"s3://{bucket}/monitored/quality",
        problem_type="Regression",
        ground_truth_attribute="_c0",
        inference_attribute="_c2",
    ),
    check_job_configuration=CheckJobConfig(
        role=role, instance_type="ml.m5.xlarge", sagemaker_session=session
    ),
    supplied_baseline_statistics=statistics,
    supplied_baseline_constraints=constraints,
    monitor_before_transform=False,
)
pipeline = Pipeline("SdkMonitored", [data], steps=steps_of(monitored), sagemaker_session=session)
pipeline.upsert(role)


def run(text: str) -> dict:
    execution = pipeline.start({"Data": upload("in/rows.csv", text)})
    with contextlib.suppress(WaiterError):  # it failed, which the steps tell too
        execution.wait(delay=1, max_attempts=120)
    return {step["StepName"]: step for step in execution.list_steps()}


steps = run("".join(f"{2 * number},{number}\n" for number in range(30)))
assert {name: each["StepStatus"] for name, each in steps.items()} == {
    "Predict-transform": "Succeeded",
    "Predict-monitoring": "Succeeded",
}, steps
assert steps["Predict-monitoring"]["Metadata"]["QualityCheck"]["CheckType"] == "MODEL_QUALITY", steps

steps = run("".join(f"{3 * number},{number}\n" for number in range(30)))
checked = steps["Predict-monitoring"]
assert steps["Predict-transform"]["StepStatus"] == "Succeeded", steps
assert checked["StepStatus"] == "Failed", steps
assert "ClientError: Quality check failed. See violation report" in checked["FailureReason"], checked
assert checked["StartTime"] >= steps["Predict-transform"]["EndTime"], steps
