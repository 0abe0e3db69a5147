"""Model packages through boto3, per operation: shape, refusals, effect."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.policies import allowing
from tests.refusals import refusal
from tests.services.sagemaker.registry.conftest import Registry

TAG = {"Key": "team", "Value": "ml"}
May = Callable[..., Any]


# CreateModelPackage and DescribeModelPackage


def test_a_version_is_described_as_it_was_created(registry: Registry) -> None:
    s3 = {"ContentType": "application/json", "S3Uri": "s3://b/evaluation.json"}
    given = {
        "ModelPackageDescription": "first",
        "ModelMetrics": {"ModelQuality": {"Statistics": s3}, "Bias": {}, "Explainability": {}},
        "DriftCheckBaselines": {"ModelQuality": {"Constraints": s3}},
        "CustomerMetadataProperties": {"owner": "ada"},
        "MetadataProperties": {"GeneratedBy": "me", "CommitId": "c0ffee"},
        "SkipModelValidation": "None",
        "Domain": "MACHINE_LEARNING",
        "Task": "REGRESSION",
    }
    group = registry.group()
    arn = registry.package(group, **given)
    assert arn.endswith(f":model-package/{group}/1")
    described = registry.describe(arn)
    assert {name: described[name] for name in given} == given
    assert described["InferenceSpecification"] == registry.specification()
    assert (described["ModelPackageGroupName"], described["ModelPackageVersion"]) == (group, 1)
    assert (described["ModelPackageName"], described["ModelPackageArn"]) == (f"{group}/1", arn)
    assert described["ModelPackageStatus"] == "Completed"
    assert described["ModelPackageStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert described["CertifyForMarketplace"] is False
    assert described["CreatedBy"]["IamIdentity"]["Arn"]
    assert "LastModifiedTime" not in described


def test_versions_are_counted_and_never_given_again(registry: Registry) -> None:
    group = registry.group()
    arns = [registry.package(group) for _ in range(2)]
    assert [arn.rpartition("/")[2] for arn in arns] == ["1", "2"]
    registry.sagemaker.delete_model_package(ModelPackageName=arns[1])
    assert registry.package(group).endswith("/3")


def test_versions_that_are_made_at_once_have_numbers_of_their_own(registry: Registry) -> None:
    group = registry.group()
    with ThreadPoolExecutor(8) as pool:
        arns = list(pool.map(lambda _: registry.package(group), range(24)))
    assert sorted(int(arn.rpartition("/")[2]) for arn in arns) == list(range(1, 25))


def test_a_client_token_makes_one_version(registry: Registry) -> None:
    group, token = registry.group(), new_name("token")
    first = registry.package(group, ClientToken=token)
    assert registry.package(group, ClientToken=token) == first
    code, _ = refusal(lambda: registry.package(group, ClientToken=token, Domain="x"))
    assert code == "ConflictException"


def test_a_package_alone_has_a_name_and_no_approval(registry: Registry) -> None:
    name = new_name("alone")
    given = {"InferenceSpecification": registry.specification(), "ModelApprovalStatus": "Approved"}
    create = registry.sagemaker.create_model_package
    arn = create(ModelPackageName=name, Tags=[TAG], **given)["ModelPackageArn"]
    assert arn.endswith(f":model-package/{name}")
    described = registry.describe(name)
    assert described["ModelPackageName"] == name
    assert not {"ModelApprovalStatus", "ModelPackageVersion", "ModelPackageGroupName"} & set(described)
    assert registry.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [TAG]
    assert refusal(create, ModelPackageName=name, **given)[0] == "ValidationException"
    assert refusal(registry.decide, arn=arn, status="Approved")[0] == "ValidationException"


@pytest.mark.parametrize(
    "given, told",
    [
        ({}, "Missing ARN."),
        ({"ModelPackageName": "n", "ModelPackageGroupName": "g"}, "Both ModelPackageName and "),
        ({"ModelPackageGroupName": "no-such"}, "ModelPackageGroup arn:aws:sagemaker:"),
        ({"ModelPackageGroupName": "g", "Tags": [TAG]}, "A model package in a group has the tags of"),
        (
            {
                "ModelPackageName": "n",
                "SourceAlgorithmSpecification": {"SourceAlgorithms": [{"AlgorithmName": "a"}]},
            },
            "passrole does not support SourceAlgorithmSpecification",
        ),
    ],
)
def test_what_cannot_be_a_package_is_refused(registry: Registry, given: dict[str, Any], told: str) -> None:
    code, message = refusal(registry.sagemaker.create_model_package, **given)
    assert (code, message[: len(told)]) == ("ValidationException", told)


def test_an_artefact_that_is_not_there_is_refused_in_awss_words(registry: Registry) -> None:
    group = registry.group()
    wanted = {"InferenceSpecification": registry.specification("gone/model.tar.gz")}
    told = (
        f"Cannot find S3 object: gone/model.tar.gz in bucket {registry.bucket}. "
        "Please check if your S3 object exists and has proper permissions for SageMaker."
    )
    assert refusal(lambda: registry.package(group, **wanted)) == ("ValidationException", told)
    arn = registry.package(group)
    assert arn.endswith("/1")  # the refused one has taken no number
    code, message = refusal(registry.sagemaker.update_model_package, ModelPackageArn=arn, **wanted)
    assert (code, message) == ("ValidationException", told)


def test_what_the_caller_may_not_see_is_not_checked(registry: Registry, client_that_may: May) -> None:
    group, client = registry.group(), client_that_may("sagemaker:CreateModelPackage", "*")
    assert registry.package(group, client)


def test_a_version_has_the_tags_of_its_group(registry: Registry, client_that_may: May) -> None:
    group = registry.group(Tags=[TAG])
    arn = registry.package(group)
    assert registry.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [TAG]
    assert refusal(registry.sagemaker.add_tags, ResourceArn=arn, Tags=[TAG])[0] == "ValidationException"
    condition = {"StringEquals": {"aws:ResourceTag/team": "ml"}}
    client = client_that_may("sagemaker:DescribeModelPackage", "*", **condition)
    client.describe_model_package(ModelPackageName=arn)
    other = registry.package(registry.group())
    call = client.describe_model_package
    assert refusal(call, ModelPackageName=other)[0] == "AccessDeniedException"


# Permissions


def test_a_package_is_authorised_by_its_arn_however_it_is_named(
    registry: Registry, client_that_may: May
) -> None:
    group = registry.group()
    arns = [registry.package(group) for _ in range(2)]
    client = client_that_may("sagemaker:DescribeModelPackage", arns[0])
    for named in (arns[0], f"{group}/1", f"{group}/001"):
        assert client.describe_model_package(ModelPackageName=named)["ModelPackageArn"] == arns[0]
    for named in (arns[1], f"{group}/2", f"{group}/02"):
        call = client.describe_model_package
        assert refusal(call, ModelPackageName=named)[0] == "AccessDeniedException"


def test_a_version_is_created_on_all_packages_of_its_group(registry: Registry, client_that_may: May) -> None:
    mine, other = registry.group(), registry.group()
    arn = registry.package(mine).removesuffix("/1")
    client = client_that_may("sagemaker:CreateModelPackage", f"{arn}/*")
    registry.package(mine, client)
    code, message = refusal(registry.package, group=other, client=client)
    assert (code, f":model-package/{other}/* " in message) == ("AccessDeniedException", True)


def test_an_approval_is_a_condition_of_creation_and_of_change(
    registry: Registry, client_that_may: May
) -> None:
    actions = ["sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"]
    pending = {
        "StringEqualsIfExists": {"sagemaker:ModelApprovalStatus": ["PendingManualApproval", "Rejected"]}
    }
    client, group = client_that_may(actions, "*", **pending), registry.group()
    arn = registry.package(group, client, ModelApprovalStatus="PendingManualApproval")
    registry.decide(arn, "Rejected", client)
    for call in (
        lambda: registry.package(group, client, ModelApprovalStatus="Approved"),
        lambda: registry.decide(arn, "Approved", client),
    ):
        assert refusal(call)[0] == "AccessDeniedException"


def test_metadata_are_conditions_new_and_as_they_are(registry: Registry, client_that_may: May) -> None:
    key = "sagemaker:CustomerMetadataProperties/stage"
    creator = client_that_may("sagemaker:CreateModelPackage", "*", StringEquals={key: "dev"})
    group, own = registry.group(), {"CustomerMetadataProperties": {"stage": "dev"}}
    arn = registry.package(group, creator, **own)
    assert refusal(registry.package, group=group, client=creator)[0] == "AccessDeniedException"
    current = "sagemaker:CurrentCustomerMetadataProperties/stage"
    changer = client_that_may("sagemaker:UpdateModelPackage", "*", StringEquals={current: "dev"})
    registry.decide(arn, "Approved", changer, CustomerMetadataProperties={"stage": "live"})
    assert refusal(registry.decide, arn=arn, status="Rejected", client=changer)[0] == "AccessDeniedException"
    removed = "sagemaker:CustomerMetadataPropertiesToRemove"
    only = {"ForAllValues:StringEquals": {removed: ["owner"]}}
    remover = client_that_may("sagemaker:UpdateModelPackage", "*", **only)
    call = remover.update_model_package
    gone = {"ModelPackageArn": arn, "CustomerMetadataPropertiesToRemove": ["stage"]}
    assert refusal(call, **gone)[0] == "AccessDeniedException"


# UpdateModelPackage


def test_a_decision_has_its_description_its_time_and_who_made_it(registry: Registry) -> None:
    arn = registry.package(registry.group())
    registry.decide(arn, "Approved", ApprovalDescription="good enough")
    described = registry.describe(arn)
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Approved", "good enough")
    assert described["LastModifiedTime"] >= described["CreationTime"]
    assert described["LastModifiedBy"] == described["CreatedBy"]


def test_metadata_and_specifications_are_added_and_removed(registry: Registry) -> None:
    arn = registry.package(registry.group(), CustomerMetadataProperties={"a": "1", "b": "2"})
    container = registry.specification()["Containers"][0]
    more = {"Name": "gpu", "Containers": [container]}
    registry.sagemaker.update_model_package(
        ModelPackageArn=arn,
        CustomerMetadataProperties={"b": "3", "c": "4"},
        CustomerMetadataPropertiesToRemove=["a"],
        AdditionalInferenceSpecificationsToAdd=[more],
    )
    described = registry.describe(arn)
    assert described["CustomerMetadataProperties"] == {"b": "3", "c": "4"}
    assert described["AdditionalInferenceSpecifications"] == [more]
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert not [name for name in described if name.endswith(("ToAdd", "ToRemove"))]
    again = {"ModelPackageArn": arn, "AdditionalInferenceSpecificationsToAdd": [more]}
    assert refusal(registry.sagemaker.update_model_package, **again)[0] == "ValidationException"


# DeleteModelPackage


def test_a_package_that_is_not_there_is_refused(registry: Registry) -> None:
    group = registry.group()
    arn = registry.package(group)
    registry.sagemaker.delete_model_package(ModelPackageName=f"{group}/1")
    for call in (registry.sagemaker.describe_model_package, registry.sagemaker.delete_model_package):
        told = f"ModelPackage {arn} does not exist."
        assert refusal(call, ModelPackageName=arn) == ("ValidationException", told)
    assert refusal(registry.decide, arn=arn, status="Approved")[0] == "ValidationException"
    elsewhere = arn.replace(f":{registry.server.region}:", ":eu-west-1:")
    call = registry.sagemaker.describe_model_package
    assert refusal(call, ModelPackageName=elsewhere)[0] == "ValidationException"


# ListModelPackages


def test_a_groups_versions_are_listed_in_their_order_by_status(registry: Registry) -> None:
    group, listed = registry.group(), registry.sagemaker.list_model_packages
    arns = [registry.package(group) for _ in range(12)]
    registry.decide(arns[3], "Approved")
    registry.decide(arns[10], "Approved")
    found = listed(ModelPackageGroupName=group, MaxResults=100)["ModelPackageSummaryList"]
    assert [each["ModelPackageArn"] for each in found] == arns
    assert found[0]["ModelPackageVersion"] == 1
    assert "ModelPackageName" not in found[0]
    (newest,) = listed(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=1,
    )["ModelPackageSummaryList"]
    assert newest["ModelPackageArn"] == arns[10]
    pages = registry.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="Name", SortOrder="Descending", PaginationConfig={"PageSize": 5}
    )
    paged = [each["ModelPackageArn"] for page in pages for each in page["ModelPackageSummaryList"]]
    assert paged == arns[::-1]
    assert refusal(listed, ModelPackageGroupName=f"{group}x")[0] == "ValidationException"


def test_without_a_group_those_alone_are_listed_unless_others_are_asked_for(registry: Registry) -> None:
    mark = new_name("both")
    create, listed = registry.sagemaker.create_model_package, registry.sagemaker.list_model_packages
    registry.sagemaker.create_model_package_group(ModelPackageGroupName=f"{mark}-group")
    versioned = registry.package(f"{mark}-group")
    specification = registry.specification()
    alone = create(ModelPackageName=f"{mark}-alone", InferenceSpecification=specification)["ModelPackageArn"]
    for type_, expected in (
        (None, [alone]),
        ("Unversioned", [alone]),
        ("Versioned", [versioned]),
        ("Both", [versioned, alone]),
    ):
        given = {"ModelPackageType": type_} if type_ else {}
        found = listed(NameContains=mark, **given)["ModelPackageSummaryList"]
        assert [each["ModelPackageArn"] for each in found] == expected


# CreateModel of a package


def test_a_model_is_made_of_an_approved_package_alone(registry: Registry, server: Server) -> None:
    arn, role = registry.package(registry.group()), server.role()
    given = {"Containers": [{"ModelPackageName": arn}], "ExecutionRoleArn": role}
    create, name = registry.sagemaker.create_model, new_name("model")
    for status in ("PendingManualApproval", "Rejected"):
        registry.decide(arn, status)
        code, message = refusal(create, ModelName=name, **given)
        assert (code, status in message) == ("ValidationException", True)
    registry.decide(arn, "Approved")
    create(ModelName=name, **given)
    described = registry.sagemaker.describe_model(ModelName=name)
    assert described["Containers"] == [{"ModelPackageName": arn}]
    gone = {"Containers": [{"ModelPackageName": f"{arn}9"}], "ExecutionRoleArn": role}
    assert refusal(create, ModelName=new_name("model"), **gone)[0] == "ValidationException"


def test_a_package_with_a_key_is_registered_by_who_may_use_the_key(registry: Registry) -> None:
    key = registry.server.client("kms").create_key()["KeyMetadata"]["Arn"]
    group, may = registry.group(), ("sagemaker:CreateModelPackage", "s3:GetObject", "s3:ListBucket")
    for allowed, lacking in ((), "GenerateDataKey"), (("kms:GenerateDataKey",), "Decrypt"):
        client = registry.server.client("sagemaker", allowing(*may, *allowed))
        code, message = refusal(
            client.create_model_package,
            ModelPackageGroupName=group,
            InferenceSpecification=registry.specification(),
            SecurityConfig={"KmsKeyId": key},
        )
        assert code == "AccessDeniedException"
        assert f"is not authorized to perform: kms:{lacking} on resource: {key} because" in message
    client = registry.server.client("sagemaker", allowing(*may, "kms:GenerateDataKey", "kms:Decrypt"))
    arn = registry.package(group, client, SecurityConfig={"KmsKeyId": key})
    assert registry.describe(arn)["SecurityConfig"] == {"KmsKeyId": key}
