"""Service-linked roles: shape, refusals, effect."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Server
from tests.refusals import refusal_with_status


@pytest.fixture
def service(fresh: Callable[[str], str]) -> str:
    """A service whose role nobody has made."""
    return f"{fresh('svc')}.amazonaws.com"


# shape


@pytest.mark.parametrize(
    "service, name",
    [
        ("ecs.amazonaws.com", "AWSServiceRoleForECS"),
        ("sagemaker.amazonaws.com", "AWSServiceRoleForAmazonSageMakerNotebooks"),
        ("elasticmapreduce.amazonaws.com", "AWSServiceRoleForEMRCleanup"),
        (
            "sagemaker.application-autoscaling.amazonaws.com",
            "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        ),
    ],
)
def test_a_service_names_its_role_and_is_trusted(iam: Any, server: Server, service: str, name: str) -> None:
    made = iam.create_service_linked_role(AWSServiceName=service, Description="of a service")["Role"]
    assert made["RoleName"] == name
    assert made["Arn"] == f"arn:aws:iam::{server.account}:role/aws-service-role/{service}/{name}"
    (statement,) = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    iam.delete_service_linked_role(RoleName=name)


def test_a_deletion_is_a_task_that_is_done(iam: Any, service: str) -> None:
    name = iam.create_service_linked_role(AWSServiceName=service)["Role"]["RoleName"]
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert task.startswith(f"task/aws-service-role/{service}/{name}/")
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    assert refusal_with_status(lambda: iam.get_role(RoleName=name))[1] == "NoSuchEntity"


# refusals


def test_a_service_has_one_role_unless_it_takes_suffixes(iam: Any, service: str) -> None:
    name = iam.create_service_linked_role(AWSServiceName=service)["Role"]["RoleName"]
    taken = f"Service role name {name} has been taken in this account, please try a different suffix."
    again = refusal_with_status(lambda: iam.create_service_linked_role(AWSServiceName=service))
    assert again == (400, "InvalidInput", taken)
    suffixed = refusal_with_status(
        lambda: iam.create_service_linked_role(AWSServiceName=service, CustomSuffix="two")
    )
    assert suffixed == (400, "InvalidInput", f"Custom suffix is not allowed for {service}")
    scaling = iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com", CustomSuffix="two")
    assert scaling["Role"]["RoleName"] == "AWSServiceRoleForAutoScaling_two"


def test_what_is_no_service_or_no_such_role_is_refused(iam: Any, role: str) -> None:
    assert (
        refusal_with_status(lambda: iam.create_service_linked_role(AWSServiceName="ecs"))[1] == "InvalidInput"
    )
    assert refusal_with_status(lambda: iam.delete_service_linked_role(RoleName="absent"))[1] == "NoSuchEntity"
    assert refusal_with_status(lambda: iam.delete_service_linked_role(RoleName=role))[1] == "InvalidInput"
    task = "task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/0"
    status = refusal_with_status(lambda: iam.get_service_linked_role_deletion_status(DeletionTaskId=task))
    assert status[1] == "NoSuchEntity"


def test_only_its_service_changes_such_a_role(
    iam: Any, service: str, trust: str, document: Callable[..., str]
) -> None:
    name = iam.create_service_linked_role(AWSServiceName=service)["Role"]["RoleName"]
    policy = "arn:aws:iam::aws:policy/AdministratorAccess"
    changes: list[Callable[[], Any]] = [
        lambda: iam.delete_role(RoleName=name),
        lambda: iam.attach_role_policy(RoleName=name, PolicyArn=policy),
        lambda: iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document("sqs:*")),
        lambda: iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust),
        lambda: iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=policy),
        lambda: iam.update_role(RoleName=name, MaxSessionDuration=7200),
    ]
    sentence = f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable"
    for change in changes:
        assert refusal_with_status(change) == (400, "UnmodifiableEntity", f"{sentence} by AWS")
    iam.update_role(RoleName=name, Description="new")
    iam.tag_role(RoleName=name, Tags=[{"Key": "a", "Value": "1"}])
    assert iam.get_role(RoleName=name)["Role"]["Description"] == "new"
    reserved = {"RoleName": "own", "Path": "/aws-service-role/ecs.amazonaws.com/"}
    made = refusal_with_status(lambda: iam.create_role(**reserved, AssumeRolePolicyDocument=trust))
    assert made[1] == "InvalidInput"


# effect


def test_a_policy_can_say_for_which_service_a_role_is_made(server: Server) -> None:
    statement = {
        "Effect": "Allow",
        "Action": "iam:CreateServiceLinkedRole",
        "Resource": "arn:aws:iam::*:role/aws-service-role/*",
        "Condition": {"StringLike": {"iam:AWSServiceName": "elasticache.amazonaws.com"}},
    }
    own = server.client("iam", user_policy={"Version": "2012-10-17", "Statement": [statement]})
    assert own.create_service_linked_role(AWSServiceName="elasticache.amazonaws.com")["Role"]["RoleId"]
    denied = refusal_with_status(lambda: own.create_service_linked_role(AWSServiceName="rds.amazonaws.com"))
    assert denied[1] == "AccessDenied"
