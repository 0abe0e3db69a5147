"""A function and its role, made into a call of the runtime."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from passrole import arns
from passrole.arns import Account, Region
from passrole.config import Config
from passrole.faults import Fault, Internal
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
from passrole.services.lambda_.records import Function, specification
from passrole.store import Store

SERVICE = "lambda.amazonaws.com"
SOURCE_FUNCTION = "lambda:SourceFunctionArn"
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


async def session(assume: Assume, role: str, function_arn: str) -> Credentials:
    """Temporary credentials of a role, which Lambda assumes for a function. Raises Fault as STS does."""
    given = (await _assumed(assume, role, function_arn))["Credentials"]
    return Credentials(
        access_key=given["AccessKeyId"],
        secret_key=given["SecretAccessKey"],
        session_token=given["SessionToken"],
        expires=given["Expiration"],
    )


async def principal(assume: Assume, role: str, function_arn: str) -> Principal:
    """The same session as who is calling, for calls that Lambda makes as the function's role.

    Calls from outside the function's environment have no lambda:SourceFunctionArn.
    """
    user, arn = (await _assumed(assume, role, function_arn))["AssumedRoleUser"], arns.parse(function_arn)
    assert arn is not None, "functions have ARNs"
    return role_session(role, arn.account, user["AssumedRoleId"], user["Arn"], user["Arn"].rpartition("/")[2])


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


async def _assumed(assume: Assume, role: str, function_arn: str) -> dict[str, Any]:
    """A trust policy may name the function, unqualified, as aws:SourceArn.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
    """
    arn = arns.parse(function_arn)
    assert arn is not None, "functions have ARNs"
    name = arn.resource.split(":")[1]
    source = arns.function(Region(arn.region), Account(arn.account), name)
    # a session's name has two characters at least, a function's has one
    parameters = {"RoleArn": role, "RoleSessionName": name.ljust(2, "_")}
    return await assume(parameters, service_principal(SERVICE, arn.account, source=source))


async def _run(
    function: Function, invocation: Invocation, functions: FunctionRuntime, assume: Assume, config: Config
) -> InvocationResult:
    async def credentials() -> Credentials:
        try:
            return await session(assume, function.role, function.arn)
        except Internal:  # our own failure says nothing about the role
            raise
        except Fault as fault:
            raise refusals.role_lost() from fault

    return await functions.invoke(specification(config, function), credentials, invocation)


async def _reloaded(store: Store, function: Function) -> Function:
    found = await store.read(lambda tx: qualified.version(tx, function.key, function.version))
    if found is None:
        raise refusals.not_found(function.arn)
    return found
