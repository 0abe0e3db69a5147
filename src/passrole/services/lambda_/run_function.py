"""A function and its role, made into a call of the runtime."""

from passrole.config import Config
from passrole.faults import Fault, Internal
from passrole.runtimes.interface import (
    CodeRemoved,
    Credentials,
    FunctionRuntime,
    Invocation,
    InvocationResult,
    TooManyInvocations,
)
from passrole.services.context import CallOperation
from passrole.services.lambda_ import packages, qualifiers, refusals
from passrole.services.lambda_.records import Function, specification
from passrole.services.lambda_.sessions import session_request
from passrole.services.service_sessions import assume
from passrole.store import Store

SOURCE_FUNCTION = "lambda:SourceFunctionArn"
RELOADS_MAX = 5


async def run_function(
    function: Function,
    invocation: Invocation,
    *,
    store: Store,
    functions: FunctionRuntime,
    call: CallOperation,
    config: Config,
) -> InvocationResult:
    """Run a function once; its own failure is a result.

    Raises TooManyRequestsException, AccessDeniedException (the role cannot be assumed),
    ResourceNotFoundException.
    """
    for _ in range(RELOADS_MAX):
        try:
            return await _run(function, invocation, store, functions, call, config)
        except TooManyInvocations:
            raise refusals.too_many() from None
        except CodeRemoved:  # it was updated between our reading it and the start of a worker
            function = await _reloaded(store, function)
    raise refusals.too_many()


async def _run(
    function: Function,
    invocation: Invocation,
    store: Store,
    functions: FunctionRuntime,
    call: CallOperation,
    config: Config,
) -> InvocationResult:
    async def credentials() -> Credentials:
        await packages.bring(store, config, function)
        try:
            return (await assume(call, session_request(function.role, function.arn))).credentials
        except Internal:  # our own failure says nothing about the role
            raise
        except Fault as fault:
            raise refusals.role_lost() from fault

    return await functions.invoke(specification(config, function), credentials, invocation)


async def _reloaded(store: Store, function: Function) -> Function:
    found = await store.read(lambda tx: qualifiers.version(tx, function.key, function.version))
    if found is None:
        raise refusals.not_found(function.arn)
    return found
