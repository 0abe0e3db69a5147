"""Invoke: RequestResponse, Event and DryRun."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

import orjson

from passrole.policy.request import Values
from passrole.runtimes.interface import Invocation, InvocationResult
from passrole.services.context import Context
from passrole.services.lambda_ import async_invocations, names, permissions, qualifiers, refusals
from passrole.services.lambda_.records import Function
from passrole.services.lambda_.run_function import run_function
from passrole.services.operation import Parameters, operation

PAYLOAD_BYTES_MAX = {"RequestResponse": 6_291_456, "DryRun": 6_291_456, "Event": 1_048_576}
LOG_TAIL_BYTES = 4_096
OFF_LOOP_BYTES = 65_536


def _keys(_ctx: Context, _parameters: Parameters) -> Mapping[str, Values]:
    return {"lambda:InvokedViaFunctionUrl": "false"}  # functions have no URLs here


@operation("lambda:InvokeFunction", resource=names.arn_of, resource_policy=permissions.its_policy, keys=_keys)
async def invoke(
    ctx: Context,
    *,
    function_name: str,
    invocation_type: str = "RequestResponse",
    log_type: str = "None",
    payload: bytes = b"",
    qualifier: str | None = None,
) -> dict[str, Any]:
    """A failing function is an answer with FunctionError, not an error of this operation."""
    await _check_payload(payload, PAYLOAD_BYTES_MAX[invocation_type])
    named = names.parse(ctx, function_name, qualifier)
    function = await qualifiers.find(
        ctx, function_name, qualifier, traffic_fraction=qualifiers.traffic_fraction()
    )
    if invocation_type == "DryRun":
        return {"StatusCode": 204}
    invocation = Invocation(ctx.request_id, payload or b"{}", named.arn)
    if invocation_type == "Event":
        await ctx.store.write(
            lambda tx: async_invocations.enqueue(tx, function.key, named.qualifier, invocation, ctx.clock())
        )
        return {"StatusCode": 202}
    result = await _run(ctx, function, invocation)
    return _answer(result, function.version, tail=log_type == "Tail")


async def _check_payload(payload: bytes, bytes_max: int) -> None:
    if len(payload) > bytes_max:
        raise refusals.payload_too_large(bytes_max)
    if not payload:
        return
    try:
        if len(payload) > OFF_LOOP_BYTES:
            await asyncio.to_thread(orjson.loads, payload)
        else:
            orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise refusals.not_json(str(error)) from error


async def _run(ctx: Context, function: Function, invocation: Invocation) -> InvocationResult:
    return await run_function(
        function,
        invocation,
        store=ctx.store,
        functions=ctx.functions,
        call=ctx.call,
        config=ctx.config,
    )


def _answer(result: InvocationResult, version: str, *, tail: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": version, "Payload": result.payload}
    if result.error is not None:
        answer["FunctionError"] = result.error
    if tail:
        answer["LogResult"] = base64.b64encode(result.log[-LOG_TAIL_BYTES:]).decode()
    return answer
