"""Groups of the model registry through boto3, per operation: shape, refusals, effect."""

from collections.abc import Callable
from typing import Any

from tests.conftest import new_name
from tests.refusals import refusal
from tests.services.sagemaker.registry.conftest import Registry

TAG = {"Key": "team", "Value": "ml"}


def test_a_group_is_described_by_name_and_by_arn(registry: Registry) -> None:
    name = registry.group(ModelPackageGroupDescription="cats", Tags=[TAG])
    describe = registry.sagemaker.describe_model_package_group
    described = describe(ModelPackageGroupName=name)
    arn = described["ModelPackageGroupArn"]
    assert arn.endswith(f":model-package-group/{name}")
    assert described["ModelPackageGroupDescription"] == "cats"
    assert described["ModelPackageGroupStatus"] == "Completed"
    assert described["CreatedBy"]["IamIdentity"]["Arn"]
    again = describe(ModelPackageGroupName=arn)
    assert again["ModelPackageGroupName"] == name
    assert registry.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [TAG]


def test_a_name_is_given_once(registry: Registry) -> None:
    name = registry.group()
    code, message = refusal(registry.sagemaker.create_model_package_group, ModelPackageGroupName=name)
    assert code == "ValidationException"
    assert message.startswith("Model Package Group already exists: arn:aws:sagemaker:")


def test_a_group_that_is_not_there_is_refused(registry: Registry) -> None:
    name = registry.group()
    for other in (f"{name}x", name.lower()):
        for verb in ("describe", "delete"):
            call = getattr(registry.sagemaker, f"{verb}_model_package_group")
            code, message = refusal(call, ModelPackageGroupName=other)
            assert code == "ValidationException"
            assert message.startswith("ModelPackageGroup arn:") and message.endswith("does not exist.")
    elsewhere = f"arn:aws:sagemaker:eu-west-1:{registry.server.account}:model-package-group/{name}"
    call = registry.sagemaker.describe_model_package_group
    assert refusal(call, ModelPackageGroupName=elsewhere)[0] == "ValidationException"


def test_only_an_empty_group_is_deleted(registry: Registry) -> None:
    name, delete = registry.group(), registry.sagemaker.delete_model_package_group
    arn = registry.package(name)
    assert refusal(delete, ModelPackageGroupName=name)[0] == "ConflictException"
    registry.sagemaker.delete_model_package(ModelPackageName=arn)
    delete(ModelPackageGroupName=name)
    call = registry.sagemaker.describe_model_package_group
    assert refusal(call, ModelPackageGroupName=name)[0] == "ValidationException"


def test_groups_are_listed_oldest_first_in_pages(registry: Registry) -> None:
    mark = new_name("listed")
    names = [f"{mark}-{letter}" for letter in "cab"]
    for name in names:
        registry.sagemaker.create_model_package_group(ModelPackageGroupName=name)
    listed = registry.sagemaker.list_model_package_groups(NameContains=mark)["ModelPackageGroupSummaryList"]
    assert [each["ModelPackageGroupName"] for each in listed] == names
    assert listed[0]["ModelPackageGroupStatus"] == "Completed"
    paginator = registry.sagemaker.get_paginator("list_model_package_groups")
    config = {"PageSize": 2}
    pages = paginator.paginate(
        NameContains=mark, SortBy="Name", SortOrder="Descending", PaginationConfig=config
    )
    found = [each for page in pages for each in page["ModelPackageGroupSummaryList"]]
    assert [each["ModelPackageGroupName"] for each in found] == sorted(names, reverse=True)
    shared = registry.sagemaker.list_model_package_groups(CrossAccountFilterOption="CrossAccount")
    assert shared["ModelPackageGroupSummaryList"] == []


def test_a_group_is_authorised_by_its_arn_however_it_is_named(
    registry: Registry, client_that_may: Callable[..., Any]
) -> None:
    mine, other = registry.group(), registry.group()
    arn = registry.sagemaker.describe_model_package_group(ModelPackageGroupName=mine)["ModelPackageGroupArn"]
    client = client_that_may("sagemaker:DescribeModelPackageGroup", arn)
    for named in (mine, arn):
        client.describe_model_package_group(ModelPackageGroupName=named)
    call = client.describe_model_package_group
    assert refusal(call, ModelPackageGroupName=other)[0] == "AccessDeniedException"


def test_tags_at_the_creation_ask_for_their_own_permission(
    registry: Registry, client_that_may: Callable[..., Any]
) -> None:
    bare = client_that_may("sagemaker:CreateModelPackageGroup", "*")
    given = {"ModelPackageGroupName": new_name("group"), "Tags": [TAG]}
    code, message = refusal(bare.create_model_package_group, **given)
    assert (code, "sagemaker:AddTags" in message) == ("AccessDeniedException", True)
    both = client_that_may(["sagemaker:CreateModelPackageGroup", "sagemaker:AddTags"], "*")
    both.create_model_package_group(**given)
