"""A model of stopping distances: prepared, trained and judged in jobs, taken over, and refused.

    passrole exec -- python examples/stopping_model/demo.py

Everything here is boto3, as one would write it against AWS. The pipeline prepares data (Processing), trains a
model (Training, script mode), judges it (Processing, a property file, a condition) and uses it (Lambda). Then
it is started again: nothing has changed, so caching takes over the three jobs. Then the same pipeline is
started under a role that may not pass itself to its jobs, and is refused. The exit code is 0 if all came out
as they should. The scripts of the jobs need nothing beyond Python.
"""

import io
import json
import sys
import tarfile
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3

HERE = Path(__file__).parent
DATA = HERE.parent / "stopping_distance" / "fit" / "cars.csv"
PIPELINE, REFUSED, BUCKET = "stopping-model", "stopping-model-refused", "stopping-model"
ROLE, ROLE_WITHOUT, FUNCTION_ROLE = "stopping-model", "stopping-model-without-pass", "stopping-model-function"
FUNCTION = "sagemaker-stopping-model"
JOBS = ("Prepare", "Train", "Evaluate")
WAIT_SECONDS_MAX = 120

CLIENTS: list[Any] = [boto3.client(name) for name in ("iam", "s3", "lambda", "sagemaker")]
iam, s3, functions, sagemaker = CLIENTS


def main() -> None:
    """Set up, run, run again, run refused."""
    role, without = deploy()
    first = accepted(role)
    taken_over(role, first)
    refused(without)


def accepted(role: str) -> str:
    """Every step runs; the ARN of the execution."""
    print("\n1. Prepare, train, judge, and use the model")
    execution = start(PIPELINE, role)
    steps = finished(execution, expected="Succeeded")
    job = steps["Train"]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
    metrics = sagemaker.describe_training_job(TrainingJobName=job)["FinalMetricDataList"]
    print(f"   the job {job} says: train:mse {metrics[0]['Value']:.1f}")
    outputs = steps["Report"]["Metadata"]["Lambda"]["OutputParameters"]
    told = {each["Name"]: float(each["Value"]) for each in outputs}
    print(f"   the function has read the model from S3: at 30 mph a car stops in {told['distance_ft']} ft;")
    print(f"   cars that the model had not seen: mean squared error {told['mse']:.1f}")
    check(told["distance_ft"] == 141.0, f"unexpected result {told}")
    return execution


def taken_over(role: str, first: str) -> None:
    """Nothing has changed, and so no job runs."""
    print("\n2. The same again, with caching")
    steps = finished(start(PIPELINE, role), expected="Succeeded")
    hits = [name for name in JOBS if "CacheHitResult" in steps[name]]
    check(hits == list(JOBS), f"only {hits} were taken over from {first}")
    print("   No job ran: the arguments of the three are what they were, and less than 30 days have passed.")


def refused(role: str) -> None:
    """The same steps with a role that lacks iam:PassRole."""
    print("\n3. The same pipeline under a role that may not pass itself to a job")
    steps = finished(start(REFUSED, role), expected="Failed")
    reason = steps["Prepare"].get("FailureReason", "")
    check(
        f"is not authorized to perform: iam:PassRole on resource: {role}" in reason, f"unexpected: {reason}"
    )
    print(
        "\n   Why: a job runs with a role of its own, and who creates it must be allowed to pass that role,\n"
        "   even where it is the caller's own. The managed policy AmazonSageMakerPipelinesIntegrations does\n"
        "   not allow it. What allows it, in a policy of the role:\n\n"
        f"   {json.dumps(may_pass(role))}"
    )


def deploy() -> tuple[str, str]:
    """Create bucket, function and roles, or reuse those of an earlier run; the ARNs of the two roles."""
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET)
    s3.upload_file(str(DATA), BUCKET, "cars.csv")
    for script in ("prepare.py", "evaluate.py"):
        s3.upload_file(str(HERE / "code" / script), BUCKET, f"code/{script}")
    s3.put_object(Bucket=BUCKET, Key="code/train.tar.gz", Body=packed(HERE / "code" / "train.py"))
    role, without = (role_named(name, "sagemaker.amazonaws.com") for name in (ROLE, ROLE_WITHOUT))
    allow(ROLE, *may_run_jobs(), may_pass(role))
    allow(ROLE_WITHOUT, *may_run_jobs())
    function_role = role_named(FUNCTION_ROLE, "lambda.amazonaws.com")
    allow(
        FUNCTION_ROLE, {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    )
    with suppress(functions.exceptions.ResourceConflictException):
        functions.create_function(
            FunctionName=FUNCTION,
            Runtime=f"python3.{sys.version_info.minor}",
            Handler="report.handler",
            Timeout=60,
            Role=function_role,
            Code={"ZipFile": zipped(HERE / "report")},
        )
    print(f"bucket {BUCKET} with cars.csv and the scripts, function {FUNCTION}, roles")
    return role, without


def may_run_jobs() -> list[dict[str, Any]]:
    """What the pipeline and its jobs do, but for passing the role."""
    verbs = [
        f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe") for kind in ("Processing", "Training")
    ]
    data = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    return [
        {"Effect": "Allow", "Action": [*verbs, "sagemaker:AddTags"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject", "s3:PutObject"], "Resource": data},
        {"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": f"arn:aws:lambda:*:*:function:{FUNCTION}",
        },
    ]


def may_pass(role: str) -> dict[str, Any]:
    """The statement that lets a role give itself to jobs of SageMaker."""
    condition = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    return {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": condition}


def role_named(name: str, service: str) -> str:
    """The ARN of a role that trusts the service."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    return str(iam.get_role(RoleName=name)["Role"]["Arn"])


def allow(role: str, *statements: dict[str, Any]) -> None:
    """Give a role these statements, and no others."""
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=role, PolicyName="only", PolicyDocument=document)


def start(pipeline: str, role: str) -> str:
    """Start the pipeline under the role, which is its jobs' role too; the ARN of the execution."""
    definition = (HERE / "pipeline.json").read_text()
    known = [each["PipelineName"] for each in sagemaker.list_pipelines()["PipelineSummaries"]]
    put = sagemaker.update_pipeline if pipeline in known else sagemaker.create_pipeline
    put(PipelineName=pipeline, PipelineDefinition=definition, RoleArn=role)
    function = functions.get_function(FunctionName=FUNCTION)["Configuration"]["FunctionArn"]
    given = [{"Name": "Role", "Value": role}, {"Name": "Report", "Value": function}]
    started = sagemaker.start_pipeline_execution(PipelineName=pipeline, PipelineParameters=given)
    print(f"   started under {role}")
    return str(started["PipelineExecutionArn"])


def finished(execution: str, expected: str) -> dict[str, Any]:
    """The steps by name after the execution ended with the expected status; a line for each change."""
    began, status, shown = time.monotonic(), "Executing", dict[str, str]()
    steps: dict[str, Any] = {}
    while status == "Executing" and time.monotonic() < began + WAIT_SECONDS_MAX:
        time.sleep(0.1)
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        status = described["PipelineExecutionStatus"]
        listed = sagemaker.list_pipeline_execution_steps(
            PipelineExecutionArn=execution, SortOrder="Ascending"
        )
        for step in listed["PipelineExecutionSteps"]:
            steps[step["StepName"]] = step
            if shown.get(step["StepName"]) != step["StepStatus"]:
                shown[step["StepName"]] = step["StepStatus"]
                print(f"   {time.monotonic() - began:5.1f} s  {line(step)}", flush=True)
    check(status == expected, f"the execution is {status} and should be {expected}")
    print(f"   the execution {status}, as it should")
    return steps


def line(step: dict[str, Any]) -> str:
    """A step's status and what there is to say of it."""
    hit = step.get("CacheHitResult", {}).get("SourcePipelineExecutionArn", "")
    said = step.get("FailureReason") or (hit and f"cached, from execution {hit.rpartition('/')[2]}")
    return f"{step['StepStatus']:<9}  {step['StepName']:<10}  {said}".rstrip()


def packed(script: Path) -> bytes:
    """A tar archive of the script, as the SageMaker SDK uploads it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(script, script.name)
    return buffer.getvalue()


def zipped(folder: Path) -> bytes:
    """A zip archive of the folder, for Lambda."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.glob("*.*")):
            archive.write(path, path.name)
    return buffer.getvalue()


def check(holds: bool, otherwise: str) -> None:
    """Exit with code 1 and the message if the condition is false."""
    if not holds:
        sys.exit(f"demo: {otherwise}")


if __name__ == "__main__":
    main()
