"""From measurements to a reviewed table of stopping distances, and the same pipeline refused.

    passrole exec -- python examples/stopping_distance/demo.py

Everything here is boto3, as one would write it against AWS. The pipeline fits a line through measured
stopping distances (Lambda), checks the fit (Condition), asks for a review (Callback) and writes the
table (Lambda). The review is answered by a consumer of the queue: `review` below. Then the pipeline is
started once more with another queue, and is refused. The exit code is 0 if both came out as they should.
"""

import io
import json
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3

HERE = Path(__file__).parent
PIPELINE = "stopping-distance"
GOOD_QUEUE, BAD_QUEUE = "sagemaker-reviews", "reviews"
FUNCTIONS_ROLE = "sagemaker-example-functions"
BUCKET, RESULT = "stopping-distance", "stopping-distances.json"
WAIT_SECONDS_MAX = 30

CLIENTS: list[Any] = [boto3.client(name) for name in ("iam", "s3", "sqs", "lambda", "sagemaker")]
iam, s3, sqs, functions, sagemaker = CLIENTS


def main() -> None:
    """Set up, run, run refused."""
    execution_role = the_execution_role()
    deploy(execution_role)
    accepted()
    refused(execution_role)


def accepted() -> None:
    """The valid pipeline: its queue's name contains `sagemaker`."""
    print(f"\n1. The review goes to the queue {GOOD_QUEUE}")
    queue_url = sqs.create_queue(QueueName=GOOD_QUEUE)["QueueUrl"]
    execution = start(QueueUrl=queue_url, ResultFile=f"s3://{BUCKET}/{RESULT}")
    review(queue_url, execution)
    steps = finished(execution, expected="Succeeded")
    check(sorted(steps) == ["Fit", "GoodEnough", "Publish", "Review"], f"unexpected steps {sorted(steps)}")
    table = json.loads(s3.get_object(Bucket=BUCKET, Key=RESULT)["Body"].read())
    check(table["stopping_distance_ft"]["20 mph"] == 61.1, f"unexpected result {table}")
    print(f"   s3://{BUCKET}/{RESULT} says: {json.dumps(table)}")


def refused(execution_role: str) -> None:
    """The same pipeline with a queue that the role's policy does not cover."""
    print(f"\n2. The same pipeline, the review to the queue {BAD_QUEUE}")
    queue_url = sqs.create_queue(QueueName=BAD_QUEUE)["QueueUrl"]
    execution = start(QueueUrl=queue_url, ResultFile="s3://never/written")
    steps = finished(execution, expected="Failed")
    reason = steps["Review"].get("FailureReason", "")
    check("is not authorized to perform: sqs:sendmessage on resource: " in reason, f"unexpected: {reason}")
    check("Publish" not in steps, "a step after the refused one has run")
    print(
        f"\n   Why: the role {execution_role.rpartition('/')[2]} has the managed policy\n"
        "   AmazonSageMakerPipelinesIntegrations, which allows sqs:SendMessage only on queues whose name\n"
        f"   contains `sagemaker` (or `sageMaker`, `SageMaker`). `{BAD_QUEUE}` does not: name it\n"
        f"   `{GOOD_QUEUE}`, or give the role a policy of its own for that queue."
    )


def review(queue_url: str, execution: str) -> None:
    """The consumer: receives the request, checks it, and answers its token."""
    request, receipt = None, ""
    while request is None or request["pipelineExecutionArn"] != execution:
        received = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=10).get("Messages", [])
        check(len(received) == 1, "no request for a review has arrived")
        request, receipt = json.loads(received[0]["Body"]), received[0]["ReceiptHandle"]
    print(f"   a consumer of the queue reads {request['arguments']} and answers token {request['token']}")
    check(request["arguments"]["cars"] == 50, f"unexpected request {request}")
    sagemaker.send_pipeline_execution_step_success(
        CallbackToken=request["token"], OutputParameters=[{"Name": "reviewer", "Value": "ada"}]
    )
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=receipt)


def the_execution_role() -> str:
    """The execution role that onboarding to Studio created."""
    roles = iam.list_roles(PathPrefix="/service-role/")["Roles"]
    ours = (role for role in roles if role["RoleName"].startswith("AmazonSageMaker-ExecutionRole-"))
    return str(next(ours)["Arn"])


def deploy(execution_role: str) -> None:
    """Create the functions with their own role, and the pipeline, or reuse those of an earlier run."""
    service = {"Service": "lambda.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=FUNCTIONS_ROLE, AssumeRolePolicyDocument=trust)
    write = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/{RESULT}"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [write]})
    iam.put_role_policy(RoleName=FUNCTIONS_ROLE, PolicyName="result", PolicyDocument=policy)
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET)
    for name in ("fit", "publish"):
        with suppress(functions.exceptions.ResourceConflictException):
            functions.create_function(
                FunctionName=f"sagemaker-{name}",
                Runtime=f"python3.{sys.version_info.minor}",
                Handler=f"{name}.handler",
                Role=iam.get_role(RoleName=FUNCTIONS_ROLE)["Role"]["Arn"],
                Code={"ZipFile": zipped(HERE / name)},
            )
    definition = (HERE / "pipeline.json").read_text()
    known = [each["PipelineName"] for each in sagemaker.list_pipelines()["PipelineSummaries"]]
    put = sagemaker.update_pipeline if PIPELINE in known else sagemaker.create_pipeline
    put(PipelineName=PIPELINE, PipelineDefinition=definition, RoleArn=execution_role)
    print(f"functions sagemaker-fit and sagemaker-publish, pipeline {PIPELINE} under {execution_role}")


def start(**parameters: str) -> str:
    """Start the pipeline; the ARN of the execution."""
    given = [{"Name": name, "Value": value} for name, value in parameters.items()]
    started = sagemaker.start_pipeline_execution(PipelineName=PIPELINE, PipelineParameters=given)
    return str(started["PipelineExecutionArn"])


def finished(execution: str, expected: str) -> dict[str, Any]:
    """The steps by name after the execution ended with the expected status."""
    until = time.monotonic() + WAIT_SECONDS_MAX
    status = "Executing"
    while status == "Executing" and time.monotonic() < until:
        time.sleep(0.05)
        status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)[
            "PipelineExecutionStatus"
        ]
    listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution, SortOrder="Ascending")
    steps = {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}
    for step in steps.values():
        line = f"   {step['StepStatus']:<9}  {step['StepName']:<10}  {step.get('FailureReason', '')}"
        print(line.rstrip())
    check(status == expected, f"the execution is {status} and should be {expected}")
    print(f"   the execution {status}, as it should")
    return steps


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
