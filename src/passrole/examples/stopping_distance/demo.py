"""From measurements to a reviewed table of stopping distances, and the same pipeline refused.

    passrole demo

Everything here is boto3, as one would write it against AWS. The pipeline fits a line through measured
stopping distances (Lambda), checks the fit (Condition), asks for a review (Callback) and writes the
table (Lambda). The review is answered by a consumer of the queue: `review` below. Then the pipeline is
started once more with another queue, and is refused. The exit code is 0 if both came out as they should.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3

from passrole.examples import demonstration
from passrole.examples.demonstration import check

HERE = Path(__file__).parent
PIPELINE = "stopping-distance"
GOOD_QUEUE, BAD_QUEUE = "sagemaker-reviews", "reviews"
FUNCTIONS_ROLE = "sagemaker-example-functions"
BUCKET, RESULT = "stopping-distance", "stopping-distances.json"
WAIT_SECONDS_MAX = 30

CLIENTS: list[Any] = [boto3.client(name) for name in ("s3", "sqs", "sagemaker")]
s3, sqs, sagemaker = CLIENTS


def main() -> None:
    """Set up, run, run refused."""
    execution_role = demonstration.onboarding_role()
    deploy(execution_role)
    accepted()
    refused(execution_role)


def accepted() -> None:
    """The valid pipeline: its queue's name contains `sagemaker`."""
    print(f"\n1. The review goes to the queue {GOOD_QUEUE}")
    queue_url = sqs.create_queue(QueueName=GOOD_QUEUE)["QueueUrl"]
    execution = demonstration.start(PIPELINE, QueueUrl=queue_url, ResultFile=f"s3://{BUCKET}/{RESULT}")
    review(queue_url, execution)
    steps = demonstration.finished(execution, "Succeeded", WAIT_SECONDS_MAX)
    check(sorted(steps) == ["Fit", "GoodEnough", "Publish", "Review"], f"unexpected steps {sorted(steps)}")
    table = json.loads(s3.get_object(Bucket=BUCKET, Key=RESULT)["Body"].read())
    check(table["stopping_distance_ft"]["20 mph"] == 61.1, f"unexpected result {table}")
    print(f"   s3://{BUCKET}/{RESULT} says: {json.dumps(table)}")


def refused(execution_role: str) -> None:
    """The same pipeline with a queue that the role's policy does not cover."""
    print(f"\n2. The same pipeline, the review to the queue {BAD_QUEUE}")
    queue_url = sqs.create_queue(QueueName=BAD_QUEUE)["QueueUrl"]
    execution = demonstration.start(PIPELINE, QueueUrl=queue_url, ResultFile="s3://never/written")
    steps = demonstration.finished(execution, "Failed", WAIT_SECONDS_MAX)
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


def deploy(execution_role: str) -> None:
    """Create the functions with their own role, and the pipeline, or reuse those of an earlier run."""
    write = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/{RESULT}"}
    role = demonstration.role_named(FUNCTIONS_ROLE, "lambda.amazonaws.com", write)
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=BUCKET)
    for name in ("fit", "publish"):
        demonstration.function(f"sagemaker-{name}", HERE / name, role)
    demonstration.pipeline(PIPELINE, (HERE / "pipeline.json").read_text(), execution_role)
    print(f"functions sagemaker-fit and sagemaker-publish, pipeline {PIPELINE} under {execution_role}")


if __name__ == "__main__":
    main()
