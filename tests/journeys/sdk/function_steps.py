"""Functions as steps of a pipeline with values between them, and how they fail, as the SDK's tests assert it.

https://github.com/aws/sagemaker-python-sdk/blob/master/sagemaker-mlops/tests/integ/workflow/test_step_decorator.py
"""

import pathlib
import tempfile

import boto3
from sagemaker_sdk import (
    ConditionGreaterThan,
    ConditionStep,
    ParameterInteger,
    Pipeline,
    PipelineSession,
    get_execution_role,
    step,
)

session = PipelineSession()
role = get_execution_role(session)
requirements = pathlib.Path(tempfile.mkdtemp()) / "requirements.txt"
requirements.write_text("boto3\n")
job = {
    "role": role,
    "instance_type": "ml.m5.large",
    "image_uri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/any:1",
    "dependencies": str(requirements),
}


@step(name="Numbers", **job)
def numbers(count):
    return list(range(count)), {"from": 0}


@step(name="Total", **job)
def total(values, about):
    print("adding", values)
    return {"total": sum(values), **about}


@step(name="Raises", **job)
def raises(values):
    raise RuntimeError("no data")


@step(name="Tampered", **job)
def tampered():
    return 1


count = ParameterInteger(name="Count", default_value=3)
made = numbers(count)
summed = total(made[0], made[1])
decided = ConditionStep(
    name="Decide",
    conditions=[ConditionGreaterThan(left=summed["total"], right=5)],
    if_steps=[raises(made[0]), tampered()],
)
pipeline = Pipeline(name="SdkFunctions", parameters=[count], steps=[decided], sagemaker_session=session)
pipeline.upsert(role)

s3, bucket = boto3.client("s3"), session.default_bucket()
keys = [
    each["Key"]
    for each in s3.list_objects_v2(Bucket=bucket, Prefix="SdkFunctions/Tampered/")["Contents"]
    if each["Key"].endswith("function/payload.pkl")
]
assert len(keys) == 1, keys
s3.put_object(
    Bucket=bucket, Key=keys[0], Body=s3.get_object(Bucket=bucket, Key=keys[0])["Body"].read() + b"x"
)

execution = pipeline.start({"Count": 4})
try:
    execution.wait(delay=1, max_attempts=200)
except Exception as error:
    assert "Failed" in str(error)
reasons = {each["StepName"]: each.get("FailureReason", "") for each in execution.list_steps()}
assert "ClientError: AlgorithmError: RuntimeError('no data')" in reasons["Raises"], reasons
integrity = "Integrity check for the serialized function or data failed"
assert integrity in reasons["Tampered"] and reasons["Tampered"].startswith("ClientError: "), reasons
assert execution.result("Total") == {"total": 6, "from": 0}
decided = {each["StepName"]: each["Metadata"] for each in execution.list_steps()}["Decide"]
assert decided == {"Condition": {"Outcome": "True"}}
