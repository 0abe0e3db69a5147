"""Configurations of endpoints through boto3, per operation: shape, refusals, effect."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.conftest import new_name
from tests.refusals import refusal
from tests.services.sagemaker.hosting.conftest import Host

SERVERLESS = {"MemorySizeInMB": 1024, "MaxConcurrency": 5}
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://b/c",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}
OUTPUT = {"OutputConfig": {"S3OutputPath": "s3://b/o"}}


@pytest.fixture(scope="module")
def model(host: Host) -> str:
    return host.model()


# CreateEndpointConfig and DescribeEndpointConfig


def test_a_configuration_is_described_as_it_was_created(host: Host, model: str) -> None:
    given = host.variant(ModelName=model, VolumeSizeInGB=20, InitialVariantWeight=0.5)
    name = host.config(given, KmsKeyId="1234", DataCaptureConfig={**CAPTURE, "EnableCapture": False})
    described = host.sagemaker.describe_endpoint_config(EndpointConfigName=name)
    assert described["EndpointConfigName"] == name
    assert described["EndpointConfigArn"].endswith(f":endpoint-config/{name}")
    assert described["ProductionVariants"] == [given]
    assert (described["KmsKeyId"], described["EnableNetworkIsolation"]) == ("1234", False)
    assert described["DataCaptureConfig"]["EnableCapture"] is False


def test_a_weight_is_one_unless_it_is_given(host: Host, model: str) -> None:
    name = host.config({"ModelName": model})
    (variant,) = host.sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
    assert variant["InitialVariantWeight"] == 1.0


@pytest.mark.parametrize(
    "members, told",
    [
        ({"AsyncInferenceConfig": OUTPUT}, "AsyncInferenceConfig"),
        ({"DataCaptureConfig": CAPTURE}, "DataCaptureConfig with EnableCapture"),
        (
            {
                "ExplainerConfig": {
                    "ClarifyExplainerConfig": {
                        "ShapConfig": {"ShapBaselineConfig": {"ShapBaseline": "1"}},
                    }
                }
            },
            "ExplainerConfig",
        ),
    ],
)
def test_what_would_have_to_be_pretended_is_refused_by_name(
    host: Host, model: str, members: dict[str, Any], told: str
) -> None:
    found = refusal(partial(host.config, {"ModelName": model}), **members)
    assert found == ("ValidationException", f"passrole does not support {told}")


def test_a_shadow_is_refused_by_name(host: Host, model: str) -> None:
    shadow = [host.variant(ModelName=model, VariantName="s")]
    code, message = refusal(partial(host.config, {"ModelName": model}), ShadowProductionVariants=shadow)
    assert (code, message) == ("ValidationException", "passrole does not support ShadowProductionVariants")


@pytest.mark.parametrize(
    "members, told",
    [
        ({"InstanceType": None}, "AllTraffic needs InstanceType and InitialInstanceCount"),
        ({"InitialInstanceCount": None}, "AllTraffic needs InstanceType and InitialInstanceCount"),
        ({"ServerlessConfig": SERVERLESS}, "AllTraffic has ServerlessConfig, and InstanceType too"),
        ({"EnableSSMAccess": True}, "does not support EnableSSMAccess"),
        ({"ModelName": None}, "inference components"),
        (
            {"ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 2}},
            "does not support ManagedInstanceScaling",
        ),
    ],
)
def test_a_variant_that_cannot_be_served_is_refused(
    host: Host, model: str, members: dict[str, Any], told: str
) -> None:
    code, message = refusal(partial(host.config, {"ModelName": model, **members}))
    assert code == "ValidationException"
    assert told in message


def test_names_of_variants_are_unique_and_models_exist(host: Host, model: str) -> None:
    code, message = refusal(partial(host.config, {"ModelName": model}, {"ModelName": model}))
    assert (code, "must be unique" in message) == ("ValidationException", True)
    code, message = refusal(partial(host.config, {"ModelName": "nowhere"}))
    assert code == "ValidationException"
    assert message.startswith('Could not find model "arn:aws:sagemaker:')


def test_several_models_behind_one_server_are_refused(host: Host) -> None:
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    container = {"Image": image, "Mode": "MultiModel", "ModelDataUrl": f"s3://{host.bucket}/"}
    host.model()
    model = host.model(PrimaryContainer=container)
    assert "MultiModel" in refusal(partial(host.config, {"ModelName": model}))[1]


def test_serverless_is_taken_with_its_own_limits(host: Host, model: str) -> None:
    bare = {"ModelName": model, "InstanceType": None, "InitialInstanceCount": None}
    host.config({**bare, "ServerlessConfig": SERVERLESS})
    more = {**SERVERLESS, "ProvisionedConcurrency": 6}
    assert "ProvisionedConcurrency" in refusal(partial(host.config, {**bare, "ServerlessConfig": more}))[1]


def test_a_name_is_given_once(host: Host, model: str) -> None:
    name = host.config({"ModelName": model})
    create = host.sagemaker.create_endpoint_config
    given = {"EndpointConfigName": name, "ProductionVariants": [host.variant(ModelName=model)]}
    code, message = refusal(create, **given)
    arn = host.sagemaker.describe_endpoint_config(EndpointConfigName=name)["EndpointConfigArn"]
    assert (code, message) == (
        "ValidationException",
        f'Cannot create already existing endpoint configuration "{arn}".',
    )
    host.sagemaker.delete_endpoint_config(EndpointConfigName=name)
    create(**given)


def test_creating_asks_for_the_action_the_role_and_the_tags(
    host: Host, model: str, client_that_may: Callable[..., Any]
) -> None:
    given = {"ExecutionRoleArn": host.role, "Tags": [{"Key": "a", "Value": "b"}]}
    wanted = ["sagemaker:CreateEndpointConfig", "iam:PassRole", "sagemaker:AddTags"]
    for number, denied in enumerate(wanted):
        client = client_that_may(["sagemaker:ListModels", *wanted[:number]], "*")
        code, message = refusal(partial(host.config, {"ModelName": model}), client=client, **given)
        assert code == "AccessDeniedException"
        assert f"perform: {denied} on" in message
    host.config({"ModelName": model}, client=client_that_may(wanted, "*"), **given)


@pytest.mark.parametrize(
    "key, holds, members",
    [
        ("sagemaker:InstanceTypes", "ml.m5.large", {"InstanceType": "ml.m5.xlarge"}),
        ("sagemaker:ModelArn", "model", {"ModelName": "other"}),
    ],
)
def test_instances_and_models_are_conditions(
    host: Host, model: str, client_that_may: Callable[..., Any], key: str, holds: str, members: dict[str, Any]
) -> None:
    if holds == "model":
        holds = host.sagemaker.describe_model(ModelName=model)["ModelArn"]
        members = {"ModelName": host.model()}
    operator = "ForAllValues:StringEquals" if key.endswith("s") else "ArnEquals"
    client = client_that_may("sagemaker:CreateEndpointConfig", "*", **{operator: {key: holds}})
    host.config({"ModelName": model}, client=client)
    code, _ = refusal(partial(host.config, {"ModelName": model, **members}), client=client)
    assert code == "AccessDeniedException"


def test_tags_are_the_configurations(host: Host, model: str) -> None:
    name = host.config({"ModelName": model}, Tags=[{"Key": "a", "Value": "b"}])
    arn = host.sagemaker.describe_endpoint_config(EndpointConfigName=name)["EndpointConfigArn"]
    host.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    listed = host.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert listed == [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]


# DeleteEndpointConfig


def test_a_configuration_that_is_deleted_is_not_there(host: Host, model: str) -> None:
    name = host.config({"ModelName": model})
    host.sagemaker.delete_endpoint_config(EndpointConfigName=name)
    for call in (host.sagemaker.describe_endpoint_config, host.sagemaker.delete_endpoint_config):
        code, message = refusal(call, EndpointConfigName=name)
        assert code == "ValidationException"
        assert message.startswith('Could not find endpoint configuration "arn:aws:sagemaker:')


# ListEndpointConfigs


def test_configurations_are_listed_newest_first_in_pages(host: Host, model: str) -> None:
    mark = new_name("listed")
    names = [f"{mark}-{letter}" for letter in "cab"]
    for name in names:
        host.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[host.variant(ModelName=model)]
        )
    listed = host.sagemaker.list_endpoint_configs(NameContains=mark)["EndpointConfigs"]
    assert [each["EndpointConfigName"] for each in listed] == names[::-1]
    paginate = host.sagemaker.get_paginator("list_endpoint_configs").paginate
    pages = paginate(
        NameContains=mark, SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 1}
    )
    found = [each["EndpointConfigName"] for page in pages for each in page["EndpointConfigs"]]
    assert found == sorted(names)
    assert refusal(host.sagemaker.list_endpoint_configs, NextToken="nonsense")[0] == "ValidationException"
