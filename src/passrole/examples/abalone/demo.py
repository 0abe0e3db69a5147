"""From abalones to an endpoint: prepared, trained, evaluated, registered, approved, deployed, asked, refused.

    passrole demo models

Everything here is boto3, as one would write it against AWS. The pipeline is AWS's tutorial of abalones, as
the SageMaker SDK writes it: pipeline.py made pipeline.json. It registers the model as a version that waits
for approval. `passrole approve` approves it, a rule of EventBridge starts a function, the function deploys
the version, and the endpoint answers. Then the pipeline is started so that it would approve its model
itself. Its role may not, and it is refused. The exit code is 0 if all came out as they should. The scripts
need nothing beyond Python.
"""

import io
import json
import random
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3

from passrole.examples import demonstration
from passrole.examples.demonstration import check, role_named

HERE = Path(__file__).parent
PIPELINE, GROUP, BUCKET = "Abalone", "abalone", "sagemaker-abalone"
ROLE, FUNCTION, FUNCTION_ROLE, RULE = (
    "abalone",
    "sagemaker-abalone-deploy",
    "abalone-deploy",
    "abalone-approved",
)
RECORDED_ROLE = "arn:aws:iam::111122223333:role/abalone"
REGISTER, SERVICE = "AbaloneRegisterModel-RegisterModel", "sagemaker.amazonaws.com"
WAIT_SECONDS_MAX = 120

CLIENTS: list[Any] = [
    boto3.client(each) for each in ("s3", "sagemaker", "sagemaker-runtime", "events", "lambda")
]
s3, sagemaker, runtime, events, functions = CLIENTS


def main() -> None:
    """Set up, run, approve, ask, run refused; delete the endpoint in any case."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    role = deploy()
    version = registered(role)
    with endpoint_deleted():
        approved(version)
        answered()
    refused()


def registered(role: str) -> str:
    """Every step runs; the version of the model, as GROUP/NUMBER."""
    print("\n1. Prepare, train, evaluate; then register the model, create it and predict a batch with it")
    execution = start()
    print(f"   started under {role}")
    steps = demonstration.finished(execution, "Succeeded", WAIT_SECONDS_MAX)
    package = steps[REGISTER]["Metadata"]["RegisterModel"]["Arn"]
    described = sagemaker.describe_model_package(ModelPackageName=package)
    status = described["ModelApprovalStatus"]
    check(status == "PendingManualApproval", f"the version is {status} already")
    predicted, measured = predictions(), [float(each.rpartition(",")[2]) for each in abalones()][-60:]
    errors = [(one - other) ** 2 for one, other in zip(predicted, measured, strict=True)]
    mse = sum(errors) / len(errors)
    print(f"   the batch transform has predicted {len(predicted)} abalones: mean squared error {mse:.2f}")
    check(0 < mse < 1, f"unexpected predictions, mean squared error {mse}")
    version = f"{GROUP}/{described['ModelPackageVersion']}"
    print(f"   the model is version {version} of the registry: {status}")
    return version


def approved(version: str) -> None:
    """The approval is given on the command line; what follows from it is EventBridge's."""
    print("\n2. Approve it: a rule on the approval starts a function, which deploys")
    command = ["passrole", "approve", version]
    print(f"   $ {' '.join(command)}", flush=True)
    done = subprocess.run(  # noqa: S603 (our own command)
        [sys.executable, "-m", *command], capture_output=True, text=True, check=False
    )
    check(done.returncode == 0, f"`{' '.join(command)}` failed: {done.stderr.strip()}")
    print(f"   {done.stdout.strip()}")
    began, shown = time.monotonic(), ""
    while shown != "InService" and time.monotonic() - began < WAIT_SECONDS_MAX:
        time.sleep(demonstration.POLL_SECONDS)
        if (status := endpoint_status()) != shown:
            shown = status
            print(f"   {time.monotonic() - began:5.1f} s  {shown:<9}  endpoint {GROUP}", flush=True)
        if shown == "Failed":
            sys.exit(f"demo: the endpoint Failed: {reason()}")
    check(shown == "InService", f"the endpoint is {shown or 'not there'} after {WAIT_SECONDS_MAX} s")


def answered() -> None:
    """The endpoint says of an abalone what the batch transform said."""
    print("\n3. Ask the endpoint")
    sex, *measures, rings = list(abalones())[-60].split(",")
    body = ",".join([*measures, *("1" if sex == each else "0" for each in "MFI")])
    answer = runtime.invoke_endpoint(EndpointName=GROUP, ContentType="text/csv", Body=body)
    told = float(answer["Body"].read())
    print(f"   an abalone of {float(measures[0]) * 200:.0f} mm: {told:.1f} rings, and {rings} were counted")
    check(told == predictions()[0], f"the endpoint says {told}, the batch transform {predictions()[0]}")


def refused() -> None:
    """The same pipeline, which would approve its model itself."""
    print("\n4. The same pipeline, told to register the model as Approved")
    steps = demonstration.finished(start(ModelApprovalStatus="Approved"), "Failed", WAIT_SECONDS_MAX)
    told = steps[REGISTER].get("FailureReason", "")
    check("is not authorized to perform: sagemaker:CreateModelPackage" in told, f"unexpected: {told}")
    check("with an explicit deny in an identity-based policy" in told, f"unexpected: {told}")
    print(
        f"\n   Why: what trains a model should not approve it. The role {ROLE} may register\n"
        f"   models, and this statement denies it to approve them:\n\n   {json.dumps(may_not_approve())}"
    )


def deploy() -> str:
    """Create bucket, roles, pipeline, function and rule, or reuse those of an earlier run; the role's ARN."""
    role = demonstration.role_named(ROLE, SERVICE)
    role_named(ROLE, SERVICE, *may_run_the_pipeline(role), may_not_approve())
    definition = (HERE / "pipeline.json").read_text().replace(RECORDED_ROLE, role)
    upload(definition)
    demonstration.pipeline(PIPELINE, definition, role)
    deploying = role_named(FUNCTION_ROLE, "lambda.amazonaws.com", *may_deploy(role))
    demonstration.function(FUNCTION, HERE / "deploy", deploying, MODEL_ROLE=role)
    rule_leads_to(demonstration.function_arn(FUNCTION))
    print(f"bucket {BUCKET}, pipeline {PIPELINE}, function {FUNCTION}, rule {RULE}, roles")
    return role


def upload(definition: str) -> None:
    """Upload the data, and the code to where the definition names it, as the SageMaker SDK does."""
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="data/abalone.csv", Body="\n".join(abalones()))
    places = [
        text for text in definition.replace('\\"', '"').split('"') if text.startswith(f"s3://{BUCKET}/")
    ]
    for key in {place.removeprefix(f"s3://{BUCKET}/") for place in places}:
        if key.endswith(".py"):
            s3.upload_file(str(HERE / "code" / Path(key).name), BUCKET, key)
        if key.endswith("sourcedir.tar.gz"):
            s3.put_object(Bucket=BUCKET, Key=key, Body=packed(HERE / "code"))


def rule_leads_to(function: str) -> None:
    """An approval of a version of the group invokes the function."""
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": [GROUP], "ModelApprovalStatus": ["Approved"]},
    }
    rule = events.put_rule(Name=RULE, EventPattern=json.dumps(pattern))["RuleArn"]
    events.put_targets(Rule=RULE, Targets=[{"Id": "deploy", "Arn": function}])
    with suppress(functions.exceptions.ResourceConflictException):
        functions.add_permission(
            FunctionName=function,
            StatementId="rule",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=rule,
        )


def may_run_the_pipeline(role: str) -> list[dict[str, Any]]:
    """What the pipeline, its jobs and its model do."""
    kinds = ("ProcessingJob", "TrainingJob", "TransformJob", "Model", "ModelPackage", "ModelPackageGroup")
    made = [f"sagemaker:{verb}{kind}" for verb in ("Create", "Describe") for kind in kinds]
    data = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
    return [
        {"Effect": "Allow", "Action": [*made, "sagemaker:AddTags"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject", "s3:PutObject"], "Resource": data},
        {"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
        may_pass(role),
    ]


def may_not_approve() -> dict[str, Any]:
    """The statement that keeps a role from approving models, though it may register them."""
    return {
        "Effect": "Deny",
        "Action": ["sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"],
        "Resource": "*",
        "Condition": {"StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"}},
    }


def may_deploy(role: str) -> list[dict[str, Any]]:
    """What the function does."""
    verbs = ("CreateModel", "CreateEndpointConfig", "CreateEndpoint", "UpdateEndpoint", "ListEndpoints")
    actions = [f"sagemaker:{verb}" for verb in verbs]
    return [{"Effect": "Allow", "Action": actions, "Resource": "*"}, may_pass(role)]


def may_pass(role: str) -> dict[str, Any]:
    """The statement that lets a role, or who has it, give that role to SageMaker."""
    condition = {"StringEquals": {"iam:PassedToService": SERVICE}}
    return {"Effect": "Allow", "Action": "iam:PassRole", "Resource": role, "Condition": condition}


def start(**parameters: str) -> str:
    """Start the pipeline; the ARN of the execution."""
    return demonstration.start(PIPELINE, **parameters)


@contextmanager
def endpoint_deleted() -> Iterator[None]:
    """Delete the endpoint at the end of this block: it would serve until somebody does."""
    try:
        yield
    finally:
        until = time.monotonic() + WAIT_SECONDS_MAX
        while (status := endpoint_status()) and time.monotonic() < until:
            if status in ("InService", "Failed"):
                sagemaker.delete_endpoint(EndpointName=GROUP)
            time.sleep(demonstration.POLL_SECONDS)
    print("   the endpoint is deleted")


def endpoint_status() -> str:
    """Of the endpoint; "" if there is none."""
    found = sagemaker.list_endpoints(NameContains=GROUP)["Endpoints"]
    return found[0]["EndpointStatus"] if found else ""


def reason() -> str:
    """Why the endpoint failed."""
    return str(sagemaker.describe_endpoint(EndpointName=GROUP).get("FailureReason"))


def predictions() -> list[float]:
    """What the batch transform wrote, one number for each abalone of the batch."""
    written = s3.get_object(Bucket=BUCKET, Key="AbaloneTransform/batch.csv.out")["Body"].read()
    return [float(line) for line in written.split()]


def abalones(count: int = 400) -> Iterator[str]:
    """Made-up rows, the columns those of the data set: sex, seven measures, rings."""
    drawn = random.Random(7)  # noqa: S311 (no secret)
    for _ in range(count):
        length = drawn.uniform(0.1, 0.8)
        measures = [length * factor * drawn.uniform(0.95, 1.05) for factor in (1, 0.8, 0.3, 2, 0.9, 0.4, 0.6)]
        rings = round(3 + 12 * length + drawn.gauss(0, 0.5))
        yield ",".join([drawn.choice("MFI"), *(f"{each:.3f}" for each in measures), str(rings)])


def packed(folder: Path) -> bytes:
    """A tar archive of the folder's files, as the SageMaker SDK uploads it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path in sorted(folder.glob("*.py")):
            tar.add(path, path.name)
    return buffer.getvalue()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
