"""IAM through boto3: the administrator's client, fresh names, and refusals as values."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import new_name

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
Refusal = tuple[int, str, str]


@pytest.fixture
def iam(server: Any) -> Any:
    """The administrator's client."""
    return server.client("iam")


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """A name that nobody has used."""
    return new_name


@pytest.fixture
def refusal() -> Callable[[Callable[[], Any]], Refusal]:
    """What a call that must fail is refused with: HTTP status, code, sentence."""

    def of(call: Callable[[], Any]) -> Refusal:
        with pytest.raises(ClientError) as caught:
            call()
        error = caught.value.response
        return error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"]["Message"]

    return of


@pytest.fixture
def user(iam: Any, fresh: Callable[[str], str]) -> str:
    """The name of a new user."""
    name = fresh("user")
    iam.create_user(UserName=name)
    return name


@pytest.fixture
def role(iam: Any, fresh: Callable[[str], str]) -> str:
    """The name of a new role that SageMaker may assume."""
    name = fresh("role")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    return name


@pytest.fixture
def policy(iam: Any, fresh: Callable[[str], str]) -> str:
    """The ARN of a new managed policy that allows iam:ListUsers."""
    arn: str = iam.create_policy(PolicyName=fresh("policy"), PolicyDocument=allowing("iam:ListUsers"))[
        "Policy"
    ]["Arn"]
    return arn


@pytest.fixture
def instance_profile(iam: Any, fresh: Callable[[str], str]) -> str:
    """The name of a new instance profile."""
    name = fresh("profile")
    iam.create_instance_profile(InstanceProfileName=name)
    return name


def allowing(*actions: str) -> str:
    """A document that allows the actions on everything."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def document() -> Callable[..., str]:
    """A document that allows the actions on everything."""
    return allowing


@pytest.fixture
def trust() -> str:
    """A trust document."""
    return json.dumps(TRUST)
