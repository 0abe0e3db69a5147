"""A registry to work with: artefacts, groups, packages, and the events that tell of them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server, new_name

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
Listen = Callable[[dict[str, Any]], Callable[[], list[dict[str, Any]]]]


class Registry:
    """Makes groups and packages, as the administrator unless another client is given."""

    def __init__(self, server: Server) -> None:
        self.server, self.sagemaker = server, server.client("sagemaker")
        self.bucket = new_name("registry")
        server.client("s3").create_bucket(Bucket=self.bucket)
        server.client("s3").put_object(Bucket=self.bucket, Key="model.tar.gz", Body=b"x")

    def group(self, **members: Any) -> str:
        """A new group's name; it has capital letters, which count."""
        name = new_name("Group")
        self.sagemaker.create_model_package_group(ModelPackageGroupName=name, **members)
        return name

    def specification(self, key: str = "model.tar.gz") -> dict[str, Any]:
        """An InferenceSpecification of one container."""
        return {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{self.bucket}/{key}"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        }

    def package(self, group: str, client: Any = None, **members: Any) -> str:
        """The ARN of a new version of a group."""
        given = {"InferenceSpecification": self.specification(), **members}
        create = (client or self.sagemaker).create_model_package
        return str(create(ModelPackageGroupName=group, **given)["ModelPackageArn"])

    def describe(self, name: str) -> dict[str, Any]:
        """A package by name or ARN."""
        found: dict[str, Any] = self.sagemaker.describe_model_package(ModelPackageName=name)
        return found

    def decide(self, arn: str, status: str, client: Any = None, **members: Any) -> None:
        """Approve or reject a package."""
        update = (client or self.sagemaker).update_model_package
        update(ModelPackageArn=arn, ModelApprovalStatus=status, **members)


@pytest.fixture(scope="session")
def registry(server: Server) -> Registry:
    """On the session's server."""
    return Registry(server)


@pytest.fixture
def listen(server: Server) -> Listen:
    """Make a rule of a pattern whose events come to a queue; what it gives reads those that have come."""

    def listening(pattern: dict[str, Any]) -> Callable[[], list[dict[str, Any]]]:
        sqs, events, name = server.client("sqs"), server.client("events"), new_name("heard")
        queue = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])
        kept: list[dict[str, Any]] = []

        def heard() -> list[dict[str, Any]]:
            for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ()):
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                kept.append(json.loads(message["Body"]))
            return kept

        return heard

    return listening
