"""The few facts that stand here beside botocore's are botocore's."""

import subprocess
import sys

import pytest

from passrole.wire import descriptions
from passrole.wire.descriptions import SERVICES, overlay, service_model


@pytest.mark.parametrize("service", SERVICES.values(), ids=lambda service: str(service.name))
def test_the_table_says_what_botocore_says(service: descriptions.Service) -> None:
    model = service_model(service.name)
    assert model.signing_name == service.signing_name
    assert model.metadata["protocol"] == service.protocols[0]
    assert model.api_version == service.api_version
    assert model.metadata.get("targetPrefix") == service.target_prefix
    assert ("awsQueryCompatible" in model.metadata) == descriptions.is_query_compatible(service.name)


def test_a_description_is_loaded_only_when_it_is_needed() -> None:
    code = (
        "from passrole.wire import HttpRequest, descriptions, route\n"
        "route(HttpRequest('POST', '/', '', {'x-amz-target': 'AmazonSQS.SendMessage'}, b''), 'sqs')\n"
        "print(descriptions._model.cache_info().currsize)\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "1"


def test_the_overlay_leaves_the_present_description_as_it_is() -> None:
    def named(protocol: descriptions.Protocol) -> str | None:
        input_shape = descriptions.operation_model("sqs", protocol, "TagQueue").input_shape
        return descriptions.members(input_shape)["Tags"].serialization.get("name")

    assert (named("query"), named("json")) == ("Tag", None)


def test_every_exception_that_the_overlay_names_is_described() -> None:
    described = {shape.name for shape in service_model("sqs").error_shapes}
    assert set(overlay("sqs")["errors"]) <= described


@pytest.mark.parametrize(
    ("service", "operation", "member", "snake"),
    [
        ("sagemaker", "CreatePipeline", "PipelineDefinitionS3Location", "pipeline_definition_s3_location"),
        ("sqs", "CreateQueue", "tags", "tags"),
        ("sqs", "AddPermission", "AWSAccountIds", "aws_account_ids"),
    ],
)
def test_members_have_the_names_that_boto3_gives(
    service: str, operation: str, member: str, snake: str
) -> None:
    assert member in descriptions.members(service_model(service).operation_model(operation).input_shape)
    assert descriptions.snake_case(member) == snake


def test_an_operation_that_is_not_described_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        descriptions.operation_model("sqs", "json", "Invented")
