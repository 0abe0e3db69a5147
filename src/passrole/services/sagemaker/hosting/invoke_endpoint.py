"""InvokeEndpoint of SageMaker's runtime: an inference of a model that an endpoint serves.

The other two ways to ask are refused by name: as a stream, and by an object in S3.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

import random
from collections.abc import Mapping
from typing import Any

from passrole import arns
from passrole.faults import Fault
from passrole.members import without_none
from passrole.policy.request import Values
from passrole.runtimes.model_client import Answer, AnswerTooLarge, NothingListens, ServerGone
from passrole.runtimes.model_servers import AT_ONCE_MAX, Inference, NoServer, TooMany
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.sagemaker.hosting.records import (
    DELETING,
    ENDPOINTS,
    Endpoint,
    Fleet,
    Variant,
    log_group,
    place_of,
)

SECONDS_MAX = 60.0
ANSWER_BYTES_MAX = 6_291_456
_MESSAGE_CHARACTERS_MAX = 1024
_COMING_SECONDS = 30.0
_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container {container}. Review the latency "
    "metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)


def _resource(ctx: Context, parameters: Parameters) -> str:
    return arns.endpoint(ctx.region, ctx.account, parameters["endpoint_name"])


def _keys(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    target = parameters.get("target_model")
    return {} if target is None else {"sagemaker:TargetModel": target}


@operation("sagemaker:InvokeEndpoint", resource=_resource, keys=_keys, ignores=["inference_id"])
async def invoke_endpoint(
    ctx: Context,
    *,
    endpoint_name: str,
    body: bytes,
    content_type: str | None = None,
    accept: str | None = None,
    custom_attributes: str | None = None,
    target_model: str | None = None,
    target_variant: str | None = None,
) -> dict[str, Any]:
    """What the model answers, of the variant that is named, or of one that is drawn by the weights.

    Raises ValidationError for an endpoint that does not serve, ModelError for what the model refuses or fails
    at, ServiceUnavailable, ThrottlingException.
    """
    if target_model is not None:
        raise Fault("ValidationError", "passrole does not support TargetModel")
    given = {"Content-Type": content_type, "Accept": accept, _ATTRIBUTES: custom_attributes}
    headers = without_none(**given)
    endpoint = await _serving(ctx, endpoint_name)
    draw = random.random()  # noqa: S311 (no secret)
    variant = _chosen(endpoint, target_variant, draw)
    try:
        answer = await _asked(ctx, endpoint, variant, body, headers)
    except (NoServer, NothingListens):
        raise Fault(
            "ServiceUnavailable",
            f"No model server of variant {variant['name']} of endpoint {endpoint_name} answers at present; "
            f"its log group {log_group(endpoint_name)} tells why.",
        ) from None
    if not 200 <= answer.status < 300:
        text = answer.body[: 4 * _MESSAGE_CHARACTERS_MAX].decode(errors="replace")
        raise _model_error(ctx, endpoint, variant, answer.status, text)
    return {
        "Body": answer.body,
        "InvokedProductionVariant": variant["name"],
        **without_none(
            ContentType=answer.content_type, CustomAttributes=answer.headers.get(_ATTRIBUTES.lower())
        ),
    }


async def _asked(
    ctx: Context, endpoint: Endpoint, variant: Variant, body: bytes, headers: Mapping[str, str]
) -> Answer:
    """Raises NoServer, NothingListens, Fault."""
    assert endpoint.fleet is not None
    serverless = variant["request"].get("ServerlessConfig") or {}
    asked = Inference(
        party=endpoint.key,
        body=body,
        headers=headers,
        seconds_max=SECONDS_MAX,
        answer_bytes_max=ANSWER_BYTES_MAX,
        at_once_max=serverless.get("MaxConcurrency", AT_ONCE_MAX),
    )
    try:
        place = place_of(endpoint, endpoint.fleet["number"], variant["name"])
        if not ctx.store.share.is_whole:  # it is in service where another server's is
            await ctx.models.there(place, _COMING_SECONDS)
        return (await ctx.models.invoke(place, asked)).answer
    except TooMany as error:
        if error.is_wanted:
            raise Fault("ThrottlingException", "Rate exceeded", status=429) from None
        message = f"Too many inferences wait for endpoint {endpoint.name}. Try again later."
        raise Fault("ServiceUnavailable", message) from None
    except TimeoutError:
        text = _TIMED_OUT.replace("{container}", _container(variant))
        raise _model_error(ctx, endpoint, variant, 0, text) from None
    except AnswerTooLarge:
        raise _model_error(ctx, endpoint, variant, 500, None) from None
    except NothingListens:
        raise
    except ServerGone as error:
        raise _model_error(ctx, endpoint, variant, 0, f"No whole answer came: {error}.") from None


async def _serving(ctx: Context, name: str) -> Endpoint:
    """The endpoint, if it serves. Raises ValidationError in AWS's words.

    https://github.com/aws/amazon-sagemaker-examples/issues/559
    """
    endpoint = await ctx.store.read(lambda tx: ENDPOINTS.get(tx, ctx.key(name)))
    if endpoint is None or endpoint.fleet is None or endpoint.status == DELETING:
        raise Fault("ValidationError", f"Endpoint {name} of account {ctx.account} not found.")
    return endpoint


def _chosen(endpoint: Endpoint, wanted: str | None, draw: float) -> Variant:
    """The variant of this name; else the one in whose part of all weights the draw, from 0 to 1, falls."""
    assert endpoint.fleet is not None
    fleet: Fleet = endpoint.fleet
    if wanted is not None:
        found = next((each for each in fleet["variants"] if each["name"] == wanted), None)
        if found is None:
            message = f"Variant {wanted} of endpoint {endpoint.name} of account {endpoint.account} not found."
            raise Fault("ValidationError", message)
        return found
    weights = [each["weight"] for each in fleet["variants"]]
    if not any(weights):
        weights = [1.0 for _ in weights]
    left = draw * sum(weights)
    for variant, weight in zip(fleet["variants"], weights, strict=True):
        left -= weight
        if left < 0:
            return variant
    return next(each for each, weight in zip(fleet["variants"], weights, strict=True) if weight)


def _model_error(ctx: Context, endpoint: Endpoint, variant: Variant, status: int, text: str | None) -> Fault:
    """In AWS's words, with the text of the model's answer; None where that cannot be loaded.

    https://github.com/aws/amazon-sagemaker-examples/issues/1809 and issues/4324
    """
    whose = "client" if 400 <= status < 500 else "server"
    told = " and could not load the entire response body"
    if text is not None:
        text = text[:_MESSAGE_CHARACTERS_MAX]
        told = f' with message "{text}"'
    group = log_group(endpoint.name)
    console = f"https://{ctx.region}.console.aws.amazon.com/cloudwatch/home?region={ctx.region}"
    return Fault(
        "ModelError",
        f"Received {whose} error ({status}) from {_container(variant)}{told}. See "
        f"{console}#logEventViewer:group={group} in account {ctx.account} for more information.",
        members={
            "OriginalStatusCode": status,
            **without_none(OriginalMessage=text),
            "LogStreamArn": arns.log_group(ctx.region, ctx.account, group),
        },
    )


def _container(variant: Variant) -> str:
    """What AWS calls the container in its messages."""
    return str(variant["containers"][0].get("ContainerHostname") or "primary")
