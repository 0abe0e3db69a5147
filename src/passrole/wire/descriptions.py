"""botocore's service descriptions, loaded on demand, and a table of the facts needed before that.

Loading all ten takes about 190 ms, SageMaker's alone 80, so the few facts that routing needs are in a table
here; a test compares them with botocore's.

SQS has two protocols. botocore's description has only the current one (JSON) and lacks what the older one
(query) needs, so `sqs_query.json` adds its element names, error codes and wrappers.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape

Protocol = Literal["json", "query", "rest-json", "rest-xml", "rpc-v2-cbor", "ec2"]


class Service(NamedTuple):
    """The facts about a service that are needed before its description is loaded.

    `name` is botocore's; `signing_name` is in the credential scope, and SageMaker's runtime shares
    SageMaker's; `protocols` begins with the current one; `target_prefix` is that of X-Amz-Target, without the
    dot.
    """

    name: str
    signing_name: str
    protocols: tuple[Protocol, ...]
    api_version: str
    target_prefix: str | None = None


SERVICES: Mapping[str, Service] = MappingProxyType(
    {
        service.name: service
        for service in (
            Service("ecr", "ecr", ("json",), "2015-09-21", "AmazonEC2ContainerRegistry_V20150921"),
            Service("emr", "elasticmapreduce", ("json",), "2009-03-31", "ElasticMapReduce"),
            Service("emr-serverless", "emr-serverless", ("rest-json",), "2021-07-13"),
            Service("events", "events", ("json",), "2015-10-07", "AWSEvents"),
            Service("iam", "iam", ("query",), "2010-05-08"),
            Service("kms", "kms", ("json",), "2014-11-01", "TrentService"),
            Service("lambda", "lambda", ("rest-json",), "2015-03-31"),
            Service("logs", "logs", ("json",), "2014-03-28", "Logs_20140328"),
            Service("s3", "s3", ("rest-xml",), "2006-03-01"),
            Service("sagemaker", "sagemaker", ("json",), "2017-07-24", "SageMaker"),
            Service("sagemaker-runtime", "sagemaker", ("rest-json",), "2017-05-13"),
            Service("scheduler", "scheduler", ("rest-json",), "2021-06-30"),
            Service("sqs", "sqs", ("json", "query"), "2012-11-05", "AmazonSQS"),
            Service("sts", "sts", ("query",), "2011-06-15"),
        )
    }
)


def service_model(service: str, protocol: Protocol | None = None) -> ServiceModel:
    """The description of a service for one of its protocols; by default the current one."""
    if protocol == "query" and is_query_compatible(service):
        return _query_model(service)
    return _model(service)


@cache
def operation_model(service: str, protocol: Protocol, operation: str) -> OperationModel:
    """The description of one operation. Raises KeyError if the service does not have it."""
    if operation not in operations(service):
        raise KeyError(f"`{service}` has no operation `{operation}`")
    return service_model(service, protocol).operation_model(operation)


@cache
def operations(service: str) -> frozenset[str]:
    """The names of all operations that AWS describes for the service."""
    return frozenset(_model(service).operation_names)


def is_service_fault(service: str, shape_name: str) -> bool:
    """Whether the exception is the service's fault and not the sender's; botocore's shapes lack this."""
    return bool(_description(service)["shapes"][shape_name].get("fault", False))


def is_query_compatible(service: str) -> bool:
    """Whether the service uses JSON but still sends its query error codes (awsQueryCompatible)."""
    return service in SERVICES and SERVICES[service].protocols == ("json", "query")


@cache
def snake_case(name: str) -> str:
    """The name in boto3's snake case: `pipeline_name` for `PipelineName`."""
    return xform_name(name)


def members(shape: Shape | None) -> Mapping[str, Shape]:
    """The members of a structure; empty for any other shape."""
    return shape.members if isinstance(shape, StructureShape) else {}


@cache
def _model(service: str) -> ServiceModel:
    return ServiceModel(_description(service), service)


def enum_values(service: str, shape_name: str) -> tuple[str, ...]:
    """The enum values of a service's shape."""
    shape = service_model(service, SERVICES[service].protocols[0]).shape_for(shape_name)
    return tuple(shape.metadata["enum"])


@cache
def _query_model(service: str) -> ServiceModel:
    return ServiceModel(_overlaid(_description(service), overlay(service)), service)


@cache
def _description(service: str) -> dict[str, Any]:
    # Only botocore's own data: files in ~/.aws/models must not change the server's protocols.
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    description: dict[str, Any] = loader.load_service_model(
        service, "service-2", SERVICES[service].api_version
    )
    return description


@cache
def overlay(service: str) -> Mapping[str, Any]:
    """The additions in `<service>_query.json`; its `about` documents them."""
    text = resources.files(__package__).joinpath(f"{service}_query.json").read_text("utf-8")
    facts: dict[str, Any] = json.loads(text)
    return facts


def _overlaid(description: dict[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """The description with the additions applied; changed shapes and operations are copies."""
    shapes = dict(description["shapes"])
    for name, error in facts["errors"].items():
        shapes[name] = {**shapes[name], "error": {"code": error["code"], "httpStatusCode": error["status"]}}
    for path, element in facts["elements"].items():
        shape_name, part = path.split(".")
        shapes[shape_name] = _renamed(shapes[shape_name], part, element)
    called = {
        name: {**body, "output": {**body["output"], "resultWrapper": body["output"]["shape"]}}
        if "output" in body
        else body
        for name, body in description["operations"].items()
    }
    metadata = {**description["metadata"], "protocol": "query", "xmlNamespace": facts["namespace"]}
    return {**description, "metadata": metadata, "operations": called, "shapes": shapes}


def _renamed(shape: dict[str, Any], part: str, element: str) -> dict[str, Any]:
    """The shape with its member, list member, key or value `part` called `element` on the wire."""
    if shape["type"] != "structure":
        return {**shape, part: {**shape[part], "locationName": element}}
    return {
        **shape,
        "members": {**shape["members"], part: {**shape["members"][part], "locationName": element}},
    }
