"""IAM through boto3: the administrator's client, fresh names, and refusals as values."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.policies import allowing

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@pytest.fixture
def iam(server: Server) -> Any:
    """The administrator's client."""
    return server.client("iam")


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """A name that nobody has used."""
    return new_name


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
    arn: str = iam.create_policy(
        PolicyName=fresh("policy"), PolicyDocument=json.dumps(allowing("iam:ListUsers"))
    )["Policy"]["Arn"]
    return arn


@pytest.fixture
def instance_profile(iam: Any, fresh: Callable[[str], str]) -> str:
    """The name of a new instance profile."""
    name = fresh("profile")
    iam.create_instance_profile(InstanceProfileName=name)
    return name


@pytest.fixture
def document() -> Callable[..., str]:
    """A document that allows the actions on everything."""
    return lambda *actions: json.dumps(allowing(*actions))


@pytest.fixture
def trust() -> str:
    """A trust document."""
    return json.dumps(TRUST)
