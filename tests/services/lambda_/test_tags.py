"""TagResource, UntagResource, ListTags: shape, refusals, effect."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.services.lambda_.conftest import Workshop


def test_tags_come_and_go(workshop: Workshop) -> None:
    name = workshop.create(Tags={"a": "1"})
    arn, client = workshop.arn(name), workshop.client
    client.tag_resource(Resource=arn, Tags={"a": "2", "b": "3"})
    assert client.list_tags(Resource=arn)["Tags"] == {"a": "2", "b": "3"}
    client.untag_resource(Resource=arn, TagKeys=["a", "never there"])
    assert client.get_function(FunctionName=name)["Tags"] == {"b": "3"}


def test_tagging_leaves_the_workers_alone(workshop: Workshop) -> None:
    name = workshop.create("return context.log_stream_name")
    before = workshop.client.invoke(FunctionName=name)["Payload"].read()
    workshop.client.tag_resource(Resource=workshop.arn(name), Tags={"a": "1"})
    assert workshop.client.invoke(FunctionName=name)["Payload"].read() == before


@pytest.mark.parametrize(
    "operation, more",
    [("list_tags", {}), ("tag_resource", {"Tags": {"a": "b"}}), ("untag_resource", {"TagKeys": ["a"]})],
)
def test_what_is_not_there_has_no_tags(workshop: Workshop, operation: str, more: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="Function not found: "):
        getattr(workshop.client, operation)(Resource=workshop.arn("nowhere"), **more)


def test_fifty_tags_are_enough(workshop: Workshop) -> None:
    arn = workshop.arn(workshop.create())
    with pytest.raises(ClientError, match="Number of tags exceeds resource tag limit"):
        workshop.client.tag_resource(Resource=arn, Tags={f"k{n}": "v" for n in range(51)})
    assert workshop.client.list_tags(Resource=arn)["Tags"] == {}


def test_only_functions_have_tags_and_no_tags_are_none(workshop: Workshop) -> None:
    arn = workshop.arn(workshop.create())
    with pytest.raises(ClientError, match="Tags on function aliases and versions are not supported"):
        workshop.client.tag_resource(Resource=f"{arn}:live", Tags={"a": "b"})
    with pytest.raises(ClientError, match="An error occurred and the request cannot be processed"):
        workshop.client.tag_resource(Resource=arn, Tags={})
