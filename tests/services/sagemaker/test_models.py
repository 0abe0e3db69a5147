"""Models through boto3, per operation: shape, refusals, effect."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.refusals import refusal

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


class Place:
    """A bucket with one artefact, and a role that may read it."""

    def __init__(self, server: Server) -> None:
        self.server, self.sagemaker = server, server.client("sagemaker")
        self.bucket = new_name("models")
        server.client("s3").create_bucket(Bucket=self.bucket)
        server.client("s3").put_object(Bucket=self.bucket, Key="m/model.tar.gz", Body=b"x")
        read = {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::{self.bucket}*"}
        self.role = server.role([{"Version": "2012-10-17", "Statement": [read]}])

    def container(self, key: str = "m/model.tar.gz", **members: Any) -> dict[str, Any]:
        return {"Image": IMAGE, "ModelDataUrl": f"s3://{self.bucket}/{key}", **members}

    def create(self, name: str | None = None, client: Any = None, **members: Any) -> str:
        """Create a model of one container unless other members are given; its name."""
        name = name or new_name("model")
        given = {"PrimaryContainer": self.container(), "ExecutionRoleArn": self.role, **members}
        (client or self.sagemaker).create_model(
            ModelName=name, **{key: value for key, value in given.items() if value is not None}
        )
        return name


@pytest.fixture(scope="module")
def place(server: Server) -> Place:
    return Place(server)


# CreateModel and DescribeModel


def test_a_model_is_described_as_it_was_created(place: Place) -> None:
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    container = place.container(Environment={"SAGEMAKER_PROGRAM": "inference.py"}, Mode="SingleModel")
    name = place.create(PrimaryContainer=container, VpcConfig=vpc, EnableNetworkIsolation=True)
    described = place.sagemaker.describe_model(ModelName=name)
    assert described["ModelName"] == name
    assert described["ModelArn"].endswith(f":model/{name}")
    assert (described["PrimaryContainer"], described["VpcConfig"]) == (container, vpc)
    assert (described["ExecutionRoleArn"], described["EnableNetworkIsolation"]) == (place.role, True)
    assert "Containers" not in described
    several = place.create(PrimaryContainer=None, Containers=[place.container(), {"Image": IMAGE}])
    assert len(place.sagemaker.describe_model(ModelName=several)["Containers"]) == 2


@pytest.mark.parametrize(
    "container, told",
    [
        ({"key": "m/other"}, "Could not find model data at s3://{bucket}/m/other."),
        ({"ModelDataUrl": "s3://no-such-bucket-anywhere/m"}, "Could not "),
        ({"ModelDataUrl": "https://example.com/m"}, "Could not find model data at https://example.com/m."),
    ],
)
def test_an_artefact_that_is_not_there_is_refused(place: Place, container: dict[str, str], told: str) -> None:
    message = refusal(place.create, PrimaryContainer=place.container(**container))
    assert message[0] == "ValidationException"
    assert message[1].startswith(told.replace("{bucket}", place.bucket))


def test_artefacts_below_a_prefix_count_for_several_models_and_loose_files(place: Place) -> None:
    uri = f"s3://{place.bucket}/m/"
    source = {"S3Uri": uri, "S3DataType": "S3Prefix", "CompressionType": "None"}
    place.create(PrimaryContainer={"Image": IMAGE, "ModelDataSource": {"S3DataSource": source}})
    place.create(PrimaryContainer={"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": uri})
    gone = {**source, "S3Uri": f"s3://{place.bucket}/n/"}
    given = {"Image": IMAGE, "ModelDataSource": {"S3DataSource": gone}}
    assert "/n/" in refusal(place.create, PrimaryContainer=given)[1]


def test_the_models_role_must_be_able_to_read_the_artefact(place: Place, server: Server) -> None:
    code, message = refusal(place.create, ExecutionRoleArn=server.role())
    assert code == "ValidationException"
    assert message.startswith(f"Could not access model data at s3://{place.bucket}/m/model.tar.gz. ")
    assert '"s3:GetObject"' in message
    code, message = refusal(place.create, ExecutionRoleArn=server.role(trust="lambda.amazonaws.com"))
    assert (code, message[:21]) == ("ValidationException", "Could not assume role")


def test_a_model_has_its_containers_in_one_way_and_each_its_image(place: Place) -> None:
    one = place.container()
    for members in (
        {"Containers": [one]},
        {"PrimaryContainer": None},
        {"PrimaryContainer": {"ModelDataUrl": one["ModelDataUrl"]}},
    ):
        assert refusal(place.create, **members)[0] == "ValidationException"


def test_a_name_is_given_once(place: Place) -> None:
    name = place.create()
    code, message = refusal(place.create, name=name)
    assert code == "ValidationException"
    assert message.startswith('Cannot create already existing model "arn:aws:sagemaker:')
    place.sagemaker.delete_model(ModelName=name)
    place.create(name)


def test_creating_asks_for_the_action_the_role_and_the_tags(
    place: Place, client_that_may: Callable[..., Any]
) -> None:
    for actions, denied in (
        ([], "sagemaker:CreateModel"),
        (["sagemaker:CreateModel"], "iam:PassRole"),
        (["sagemaker:CreateModel", "iam:PassRole"], "sagemaker:AddTags"),
    ):
        client = client_that_may(actions or ["sagemaker:ListModels"], "*")
        code, message = refusal(place.create, client=client, Tags=[{"Key": "a", "Value": "b"}])
        assert code == "AccessDeniedException"
        assert f"perform: {denied} on" in message
    allowed = ["sagemaker:CreateModel", "iam:PassRole", "sagemaker:AddTags"]
    place.create(client=client_that_may(allowed, "*"), Tags=[{"Key": "a", "Value": "b"}])


def test_isolation_and_the_network_are_conditions(place: Place, client_that_may: Callable[..., Any]) -> None:
    vpc = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    isolated = client_that_may(
        ["sagemaker:CreateModel", "iam:PassRole"],
        "*",
        **{
            "BoolIfExists": {"sagemaker:NetworkIsolation": "true"},
            "ForAllValues:StringEqualsIfExists": {"sagemaker:VpcSubnets": ["subnet-1"]},
        },
    )
    place.create(client=isolated, EnableNetworkIsolation=True, VpcConfig=vpc)
    other = {**vpc, "Subnets": ["subnet-2"]}
    for members in (
        {"EnableNetworkIsolation": False},
        {"EnableNetworkIsolation": True, "VpcConfig": other},
    ):
        assert refusal(place.create, client=isolated, **members)[0] == "AccessDeniedException"


def test_tags_are_the_models(place: Place) -> None:
    name = place.create(Tags=[{"Key": "a", "Value": "b"}])
    arn = place.sagemaker.describe_model(ModelName=name)["ModelArn"]
    place.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    listed = place.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert listed == [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]


# DeleteModel


def test_a_model_that_is_deleted_is_not_there(place: Place) -> None:
    name = place.create()
    place.sagemaker.delete_model(ModelName=name)
    for call in (place.sagemaker.describe_model, place.sagemaker.delete_model):
        code, message = refusal(call, ModelName=name)
        assert code == "ValidationException"
        assert message.startswith('Could not find model "arn:aws:sagemaker:')
        assert message.endswith(f':model/{name}".')


# ListModels


def test_models_are_listed_newest_first_in_pages(place: Place) -> None:
    mark = new_name("listed")
    names = [place.create(f"{mark}-{letter}") for letter in "cab"]
    listed = place.sagemaker.list_models(NameContains=mark)["Models"]
    assert [each["ModelName"] for each in listed] == names[::-1]
    assert set(listed[0]) == {"ModelName", "ModelArn", "CreationTime"}
    paginate = place.sagemaker.get_paginator("list_models").paginate
    pages = paginate(
        NameContains=mark, SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 1}
    )
    assert [each["ModelName"] for page in pages for each in page["Models"]] == sorted(names)
    later = listed[0]["CreationTime"] + timedelta(hours=1)
    for filter_, count in (("CreationTimeAfter", 0), ("CreationTimeBefore", 3)):
        found = place.sagemaker.list_models(NameContains=mark, **{filter_: later})["Models"]
        assert len(found) == count
    assert refusal(place.sagemaker.list_models, NextToken="nonsense")[0] == "ValidationException"
