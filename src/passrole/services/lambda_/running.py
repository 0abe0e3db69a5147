"""A function and its role, made into a call of the runtime."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from passrole.config import Config
from passrole.faults import Fault
from passrole.policy.request import Principal, role_session, service_principal
from passrole.runtimes.interface import (
    CodeRemoved,
    Credentials,
    FunctionRuntime,
    Invocation,
    InvocationResult,
    TooManyInvocations,
)
from passrole.services.lambda_ import qualified, refusals
from passrole.services.lambda_.registry import Function, specification
from passrole.store import Store

SERVICE = "lambda.amazonaws.com"
RELOADS_MAX = 5
Assume = Callable[[Mapping[str, Any], Principal], Awaitable[dict[str, Any]]]
"""Calls sts:AssumeRole with the parameters, as the principal; the answer as STS gives it."""
Call = Callable[[str, str, Mapping[str, Any], Principal, str], Awaitable[dict[str, Any]]]
"""The door from inside: service, operation, parameters, principal, region."""


def assuming(call: Call, region: str) -> Assume:
    """AssumeRole through the door, from inside."""

    async def assume(parameters: Mapping[str, Any], principal: Principal) -> dict[str, Any]:
        return await call("sts", "AssumeRole", parameters, principal, region)

    return assume


async def session(assume: Assume, account: str, role: str, function_name: str) -> Credentials:
    """Temporary credentials of a function's role, which Lambda assumes. Raises Fault as STS does."""
    given = (await _assumed(assume, account, role, function_name))["Credentials"]
    return Credentials(
        access_key=given["AccessKeyId"],
        secret_key=given["SecretAccessKey"],
        session_token=given["SessionToken"],
        expires=given["Expiration"],
    )


async def principal(assume: Assume, account: str, role: str, function_name: str) -> Principal:
    """The same session as who is calling, for calls that Lambda makes as the function's role."""
    user = (await _assumed(assume, account, role, function_name))["AssumedRoleUser"]
    return role_session(role, account, user["AssumedRoleId"], user["Arn"], user["Arn"].rpartition("/")[2])


async def run(
    function: Function,
    invocation: Invocation,
    *,
    store: Store,
    functions: FunctionRuntime,
    assume: Assume,
    config: Config,
) -> InvocationResult:
    """Run a function once. Raises Fault where it could not be run; its own failure is a result."""
    for _ in range(RELOADS_MAX):
        try:
            return await _run(function, invocation, functions, assume, config)
        except TooManyInvocations:
            raise refusals.too_many() from None
        except CodeRemoved:  # it was updated between our reading it and the start of a worker
            function = await _reloaded(store, function)
    raise refusals.too_many()


async def _assumed(assume: Assume, account: str, role: str, function_name: str) -> dict[str, Any]:
    # a session's name has two characters at least, a function's has one
    parameters = {"RoleArn": role, "RoleSessionName": function_name.ljust(2, "_")}
    return await assume(parameters, service_principal(SERVICE, account))


async def _run(
    function: Function, invocation: Invocation, functions: FunctionRuntime, assume: Assume, config: Config
) -> InvocationResult:
    async def credentials() -> Credentials:
        try:
            return await session(assume, function.account, function.role, function.name)
        except Fault as fault:
            raise refusals.role_lost() from fault

    return await functions.invoke(specification(config, function), credentials, invocation)


async def _reloaded(store: Store, function: Function) -> Function:
    found = await store.read(lambda tx: qualified.version(tx, function.key, function.version))
    if found is None:
        raise refusals.not_found(function.arn)
    return found
