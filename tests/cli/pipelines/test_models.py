"""`models`, and `approve` and `reject` of a model package."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from tests.conftest import Server, new_name

from passrole.cli import main

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


def do(server: Server, command: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, [command, "--data", str(server.data), *arguments], prog_name="passrole")


def registered(server: Server, group: str, count: int) -> list[str]:
    """The ARNs of new versions of a new group."""
    sagemaker = server.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    given = {"ModelPackageGroupName": group, "InferenceSpecification": {"Containers": [{"Image": IMAGE}]}}
    return [
        sagemaker.create_model_package(**given, ModelPackageDescription=f"the [{n}]")["ModelPackageArn"]
        for n in range(1, count + 1)
    ]


@pytest.fixture
def group() -> str:
    return new_name("Churn")


def test_packages_are_listed_newest_first_by_group_and_status(server: Server, group: str) -> None:
    arns = registered(server, group, 2)
    assert do(server, "approve", arns[0]).exit_code == 0
    listed = do(server, "models", group).stdout.splitlines()
    assert [line.split("  ")[:2] for line in listed] == [
        [f"{group}/2", "PendingManualApproval"],
        [f"{group}/1", "Approved"],
    ]
    assert listed[0].endswith("the [2]")
    pending = do(server, "models", group, "--status", "pending", "--format", "json")
    (found,) = json.loads(pending.stdout)["ModelPackageSummaryList"]
    assert (found["ModelPackageArn"], found["ModelPackageVersion"]) == (arns[1], 2)
    assert f"{group}/2" in do(server, "models").stdout
    nothing = do(server, "models", group, "--status", "rejected")
    assert (nothing.exit_code, nothing.stdout) == (0, "")
    assert "there is no such model package" in nothing.stderr


def test_a_package_is_approved_and_rejected_by_name_and_by_arn(server: Server, group: str) -> None:
    (arn,) = registered(server, group, 1)
    describe = server.client("sagemaker").describe_model_package
    done = do(server, "approve", f"{group}/1", "--description", "good")
    assert done.stdout == f"approved; {arn}\n"
    described = describe(ModelPackageName=arn)
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Approved", "good")
    done = do(server, "reject", arn, "--reason", "worse than it looked")
    assert done.stdout == f"rejected; {arn}\n"
    described = describe(ModelPackageName=arn)
    assert described["ModelApprovalStatus"] == "Rejected"
    assert described["ApprovalDescription"] == "worse than it looked"


def test_what_is_not_there_and_what_does_not_fit_is_refused_in_one_line(server: Server, group: str) -> None:
    registered(server, group, 1)
    for command, arguments, told in (
        ("approve", [f"{group}/2"], f"there is no model package `{group}/2`; `passrole models` lists"),
        ("reject", [f"{group}x/1", "--reason", "r"], f"there is no model package `{group}x/1`"),
        ("models", [f"{group}x"], f"there is no model package group `{group}x`"),
        ("approve", [f"{group}/1", "-o", "by=ada"], "a model package has no outputs"),
        ("approve", ["3vJ8kQzT1a", "--description", "d"], "--description is for model packages"),
    ):
        done = do(server, command, *arguments)
        assert (done.exit_code, done.stdout) == (2, ""), done.stderr
        assert told in done.stderr and done.stderr.count("\n") == 1


def test_packages_are_listed_where_no_server_runs(start_server: Callable[..., Server], group: str) -> None:
    server = start_server()
    registered(server, group, 1)
    server.stop()
    assert do(server, "models", group).stdout.startswith(f"{group}/1  PendingManualApproval  ")
