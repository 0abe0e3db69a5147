"""A model of stopping distances: prepared, trained and judged in jobs, taken over, and refused.

    passrole demo train

Everything here is boto3, as one would write it against AWS. The pipeline prepares data (Processing), trains a
model (Training, script mode), judges it (Processing, a property file, a condition) and uses it (Lambda). Then
it is started again: nothing has changed, so caching takes over the three jobs. Then the same pipeline is
started under a role that may not pass itself to its jobs, and is refused. The exit code is 0 if all came out
as they should. The scripts of the jobs need nothing beyond Python.
"""

import io
import json
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3

from passrole.examples import demonstration
from passrole.examples.demonstration import check, role_named

HERE = Path(__file__).parent
DATA = HERE.parent / "stopping_distance" / "fit" / "cars.csv"
PIPELINE, REFUSED, BUCKET = "stopping-model", "stopping-model-refused", "stopping-model"
ROLE, ROLE_WITHOUT, FUNCTION_ROLE = "stopping-model", "stopping-model-without-pass", "stopping-model-function"
FUNCTION, SERVICE = "sagemaker-stopping-model", "sagemaker.amazonaws.com"
JOBS = ("Prepare", "Train", "Evaluate")
WAIT_SECONDS_MAX = 120

CLIENTS: list[Any] = [boto3.client(name) for name in ("s3", "sagemaker")]
s3, sagemaker = CLIENTS


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
    steps = demonstration.finished(execution, "Succeeded", WAIT_SECONDS_MAX)
    job = steps["Train"]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
    metrics = sagemaker.describe_training_job(TrainingJobName=job)["FinalMetricDataList"]
    print(f"   the job {job} says: train:mse {metrics[0]['Value']:.1f}")
    told = {name: float(value) for name, value in demonstration.outputs(steps["Report"]).items()}
    print(f"   the function has read the model from S3: at 30 mph a car stops in {told['distance_ft']} ft;")
    print(f"   cars that the model had not seen: mean squared error {told['mse']:.1f}")
    check(told["distance_ft"] == 141.0, f"unexpected result {told}")
    return execution


def taken_over(role: str, first: str) -> None:
    """Nothing has changed, and so no job runs."""
    print("\n2. The same again, with caching")
    steps = demonstration.finished(start(PIPELINE, role), "Succeeded", WAIT_SECONDS_MAX)
    hits = [name for name in JOBS if "CacheHitResult" in steps[name]]
    check(hits == list(JOBS), f"only {hits} were taken over from {first}")
    print("   No job ran: the arguments of the three are what they were, and less than 30 days have passed.")


def refused(role: str) -> None:
    """The same steps with a role that lacks iam:PassRole."""
    print("\n3. The same pipeline under a role that may not pass itself to a job")
    steps = demonstration.finished(start(REFUSED, role), "Failed", WAIT_SECONDS_MAX)
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
    jobs = may_run_jobs()
    without = role_named(ROLE_WITHOUT, SERVICE, *jobs)
    role = role_named(ROLE, SERVICE, *jobs)
    role_named(ROLE, SERVICE, *jobs, may_pass(role))
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    demonstration.function(FUNCTION, HERE / "report", role_named(FUNCTION_ROLE, "lambda.amazonaws.com", read))
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
    condition = {"StringEquals": {"iam:PassedToService": SERVICE}}
    return {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": condition}


def start(pipeline: str, role: str) -> str:
    """Start the pipeline under the role, which is its jobs' role too; the ARN of the execution."""
    demonstration.pipeline(pipeline, (HERE / "pipeline.json").read_text(), role)
    execution = demonstration.start(pipeline, Role=role, Report=demonstration.function_arn(FUNCTION))
    print(f"   started under {role}")
    return execution


def packed(script: Path) -> bytes:
    """A tar archive of the script, as the SageMaker SDK uploads it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.add(script, script.name)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
