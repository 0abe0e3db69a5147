"""The door: every call, from outside or inside, is validated, authorised, handled and audited here.

The order is AWS's: invalid parameters are refused before the authorisation, and a caller without permission
never learns whether the resource exists.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, NamedTuple

from passrole import disk, ids
from passrole.api import call_log, table
from passrole.api.authorise import Authoriser, Verdict
from passrole.arns import InvalidPart, Region
from passrole.audit import Audit, Entry, Unrecorded
from passrole.clock import Clock
from passrole.config import Config
from passrole.faults import AccessDenied, Fault, InnerCallFailed, Internal, Outage, Unwritable
from passrole.identities import Directory, UnknownKey
from passrole.log_format import about
from passrole.policy.request import Principal, Values
from passrole.policy.request_keys import call_keys, source_keys
from passrole.runtimes.interface import FunctionRuntime
from passrole.runtimes.model_servers import ModelServers
from passrole.services import Context, Operation
from passrole.services.operation import KEPT
from passrole.store import Store
from passrole.wire import constraints, sigv4
from passrole.wire.descriptions import SERVICES, Protocol, snake_case
from passrole.wire.errors import wire_error

log = logging.getLogger(__name__)

Upstream = Callable[[Context, Operation, str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Context, the declaration, the operation and its parameters in AWS's spelling."""


_OF_SERVICES: Mapping[str, str] = {"s3:authType": "REST-HEADER", "s3:signatureversion": "AWS4-HMAC-SHA256"}

_CANCELLED = Fault("RequestCancelled", "The caller cancelled the request.")


@dataclass(frozen=True)
class Call:
    """One call of one operation, `parameters` in AWS's spelling.

    `source_ip` and `user_agent` are None for calls from inside; `secure` says whether TLS carried it, which
    between services it always does. `via_service`: a service asks another one in the caller's name, and
    `asked_by` is its name.
    `signing_keys` are S3's condition keys of the signature; services among themselves sign in the header.
    `is_large`: the parameters are so many or long that to validate them takes more than a moment.
    `hung_up` returns once the caller has closed its connection.
    """

    principal: Principal
    service: str
    operation: str
    parameters: Mapping[str, Any]
    region: Region
    request_id: str
    source_ip: str | None = None
    secure: bool = False
    user_agent: str | None = None
    via_service: bool = False
    asked_by: str | None = None
    signing_keys: Mapping[str, str] = field(default_factory=lambda: _OF_SERVICES)
    is_large: bool = False
    hung_up: Callable[[], Awaitable[None]] | None = None


Interfere = Callable[[Call], Awaitable[dict[str, Any] | None]]
"""What a server for tests does to a call that is allowed: it raises a Fault, answers, or lets it pass."""


class Told(NamedTuple):
    """What became of a call. `status` is HTTP's, `denied` the action that a policy denied.

    A request that was refused before its operation was known has neither a service nor an operation.
    """

    service: str | None
    operation: str | None
    outcome: call_log.Outcome
    status: int
    seconds: float
    denied: str | None = None


Tell = Callable[[Told], None]
"""Hears of a call."""


class Door:
    """The door; `call` is the only way to a handler."""

    def __init__(
        self,
        *,
        store: Store,
        directory: Directory,
        functions: FunctionRuntime,
        models: ModelServers | None = None,
        audit: Audit | Unrecorded,
        clock: Clock,
        config: Config,
        steady: Clock | None = None,
        upstreams: Mapping[str, Upstream] | None = None,
        interfere: Interfere | None = None,
    ) -> None:
        """`steady`: the handlers' clock, which never goes back (default `clock`).

        `upstreams`: by service, where an authorised call is forwarded instead of being handled here.
        """
        self._store = store
        self._functions = functions
        self._models = models or ModelServers()
        self._audit = audit
        self._clock = clock
        self._steady = steady or clock
        self._config = config
        self._upstreams = dict(upstreams or {})
        self._interfere = interfere
        self._authoriser = Authoriser(directory, clock)
        self._hearing: list[Tell] = []

    def tell(self, tell: Tell) -> None:
        """Have somebody told of every call from now on."""
        self._hearing.append(tell)

    async def call(self, call: Call) -> dict[str, Any]:
        """The operation's answer in AWS's spelling, once its line is in the audit trail.

        Raises Fault, and nothing else.
        """
        with about(request_id=call.request_id):
            return await self._called(call)

    async def _called(self, call: Call) -> dict[str, Any]:
        began, verdict = perf_counter(), Verdict()
        fault: Fault | None = None
        answer: dict[str, Any] = {}
        try:
            self._audit.check()
        except OSError as error:
            raise _unrecorded(call, error) from None
        try:
            answer = await self._through(call, verdict)
        except Fault as error:
            fault = error
        except InvalidPart as error:
            fault = Fault(table.REFUSALS[call.service].invalid, str(error), status=400)
        except Exception as error:
            fault = _own_failure(call, error)
        except BaseException:  # the caller disconnected, or the call was cancelled
            with suppress(OSError):
                self._record(call, verdict, _CANCELLED, perf_counter() - began)
            raise
        seconds = perf_counter() - began
        try:
            self._record(call, verdict, fault, seconds)
        except OSError as error:
            fault = _unrecorded(call, error)
        self._tell(_log(call, verdict, fault, seconds))
        if fault is not None:
            raise fault from None
        return answer

    def refused_unread(self, method: str, path: str, request_id: str, fault: Fault, status: int) -> None:
        """Note a request that came to no call: its caller or operation was not known."""
        call_log.refused_unread(method, path, request_id, fault, status)
        self._tell(Told(None, None, call_log.outcome(status, is_denied=False), status, 0.0))

    def check(self) -> None:
        """Raises OSError where no call may run because its line could not be written."""
        self._audit.check()

    async def refusal(self, call: Call) -> str | None:
        """The sentence with which AWS would deny the call; None if it would be let in.

        Nothing is done or recorded: it says beforehand what a person may do. Raises Fault as `call` does.
        """
        operation, verdict = table.find(call.service, call.operation), Verdict()
        _validate(call)
        parameters = _arguments(call, operation)
        await self._decide(call, operation, self._context(call), parameters, verdict)
        return verdict.message

    async def from_inside(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        principal: Principal,
        region: str,
        request_id: str | None = None,
    ) -> dict[str, Any]:
        """See CallOperation: a call by passrole's own worker; without a request id it gets a new one."""
        request_id = request_id or ids.request_id()
        return await self.call(
            Call(principal, service, operation, parameters, _region(region), request_id, secure=True)
        )

    async def _through(self, call: Call, verdict: Verdict) -> dict[str, Any]:
        operation = table.find(call.service, call.operation)
        if call.is_large:
            await asyncio.to_thread(_validate, call)
        else:
            _validate(call)
        context = self._context(call)
        parameters = _arguments(call, operation)
        await self._authorise(call, operation, context, parameters, verdict)
        if self._interfere is not None and (answer := await self._interfere(call)) is not None:
            return answer
        upstream = self._upstreams.get(call.service)
        if upstream is not None:
            return await upstream(context, operation, call.operation, call.parameters)
        return await operation.handler(context, **parameters) or {}

    async def _authorise(
        self,
        call: Call,
        operation: Operation,
        context: Context,
        parameters: Mapping[str, Any],
        verdict: Verdict,
    ) -> None:
        await self._decide(call, operation, context, parameters, verdict)
        if verdict.message is not None:
            words = table.REFUSALS[call.service]
            raise AccessDenied(words.denied, verdict.message, status=words.denied_status)

    async def _decide(
        self,
        call: Call,
        operation: Operation,
        context: Context,
        parameters: Mapping[str, Any],
        verdict: Verdict,
    ) -> None:
        keys = request_keys(call)
        try:
            await self._authoriser.check(operation, context, parameters, keys, verdict)
        except UnknownKey:
            raise sigv4.unknown_key(_protocol(call.service)) from None

    def _context(self, call: Call) -> Context:
        async def call_on(
            service: str,
            operation: str,
            parameters: Mapping[str, Any],
            principal: Principal | None = None,
            region: str | None = None,
            request_id: str | None = None,
        ) -> dict[str, Any]:
            outer = replace(
                call, region=_region(region or call.region), request_id=request_id or call.request_id
            )
            try:
                return await self.call(_inner(outer, service, operation, parameters, principal))
            except Internal as fault:
                raise InnerCallFailed from fault

        async def may(service: str, operation: str, parameters: Mapping[str, Any]) -> bool:
            return await self.refusal(_inner(call, service, operation, parameters, None)) is None

        return Context(
            principal=call.principal,
            account=self._config.account,
            region=call.region,
            request_id=call.request_id,
            store=self._store,
            functions=self._functions,
            call=call_on,
            clock=self._steady,
            config=self._config,
            models=self._models,
            supports=table.supports,
            may=may,
            hung_up=call.hung_up,
        )

    def _tell(self, told: Told) -> None:
        for tell in self._hearing:
            tell(told)

    def _record(self, call: Call, verdict: Verdict, fault: Fault | None, seconds: float) -> None:
        self._audit.record(
            Entry(
                time=self._clock(),
                request_id=call.request_id,
                principal=call.principal.arn,
                service=call.service,
                operation=call.operation,
                region=call.region,
                checks=tuple(verdict.checks),
                code=fault.code if fault else None,
                message=fault.message if fault else None,
                duration_ms=round(seconds * 1000, 3),
            )
        )


def _log(call: Call, verdict: Verdict, fault: Fault | None, seconds: float) -> Told:
    """What became of the call."""
    action = f"{call.service}:{call.operation}"
    if fault is None:
        call_log.allowed(call.principal.arn, action, call.request_id, seconds)
        return Told(call.service, call.operation, "allowed", 200, seconds)
    service = call.service if call.service in SERVICES else None
    status = wire_error(fault, service, _protocol(call.service)).status
    is_denied = verdict.message is not None
    call_log.refused(call.principal.arn, action, call.request_id, seconds, fault, status, is_denied=is_denied)
    became = call_log.outcome(status, is_denied=is_denied)
    denied = verdict.checks[-1].action if is_denied and verdict.checks else None
    return Told(call.service, call.operation, became, status, seconds, denied)


def _region(text: str) -> Region:
    try:
        return Region(text)
    except InvalidPart as error:
        raise Fault("ValidationException", str(error)) from None


def _unrecorded(call: Call, error: OSError) -> Unwritable:
    """The fault where the call's line cannot be written: then none can, and no call is answered here."""
    _own_failure(call, error)
    return Unwritable()


def _own_failure(call: Call, error: Exception) -> Internal:
    """The fault for a failure of passrole itself, which is logged unless an inner call has logged it."""
    if isinstance(error, InnerCallFailed):
        return type(error.__cause__)() if isinstance(error.__cause__, Internal) else Internal()
    disk.report(log, error, f"{call.service}:{call.operation} ({call.request_id})")
    return Outage() if isinstance(error, disk.StoreUnreachable) else Internal()


def _inner(
    call: Call,
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    principal: Principal | None,
) -> Call:
    """What a handler calls: as the caller, which another service then hears from the handler's; or as
    somebody else, who is none of those that are outside.
    """
    inner = replace(call, service=service, operation=operation, parameters=parameters, is_large=False)
    if principal is not None:
        return replace(
            inner,
            principal=principal,
            source_ip=None,
            user_agent=None,
            secure=True,
            via_service=False,
            asked_by=call.service if service != call.service else call.asked_by,
            signing_keys=_OF_SERVICES,
            hung_up=None,
        )
    if service == call.service or call.service not in SERVICES:
        return inner  # our own operations are no AWS service: the caller itself makes the call
    # "Returns true when an AWS service uses the credentials of an IAM principal to make a request."
    return replace(
        inner,
        user_agent=None,
        secure=True,
        via_service=True,
        asked_by=call.service,
        signing_keys=_OF_SERVICES,
    )


def _protocol(service: str) -> Protocol:
    """The service's protocol; JSON for our own operations."""
    return SERVICES[service].protocols[0] if service in SERVICES else "json"


def _validate(call: Call) -> None:
    """Validate against AWS's description; our own operations have none, and `_arguments` checks them."""
    described = call.service in SERVICES
    fault = constraints.fault(call.service, call.operation, call.parameters) if described else None
    if fault is not None:
        raise fault


def _arguments(call: Call, operation: Operation) -> dict[str, Any]:
    """The parameters for the handler; an unknown one is refused, not ignored."""
    kept = {name: value for name, value in call.parameters.items() if name in operation.keeps}
    arguments: dict[str, Any] = {KEPT: kept} if operation.keeps else {}
    for name, value in call.parameters.items():
        if name in kept:
            continue
        spellings = (snake := snake_case(name), f"{snake}_")  # with what Python's own names are mangled by
        taken = next((each for each in spellings if each in operation.takes), None)
        if taken is not None:
            arguments[taken] = value
        elif operation.ignores.isdisjoint(spellings):
            code = table.REFUSALS[call.service].invalid
            raise Fault(code, f"passrole does not support the parameter {name} of {call.operation}")
    missing = sorted(operation.required - arguments.keys())
    if missing:
        code = table.REFUSALS[call.service].invalid
        raise Fault(code, f"the parameter {missing[0]} of {call.operation} is missing")
    return arguments


def request_keys(call: Call) -> dict[str, Values]:
    """The global condition keys that come from the request itself."""
    keys = call_keys(
        call.region,
        secure=call.secure,
        via_service=call.via_service,
        user_agent=call.user_agent,
        source_ip=call.source_ip,
    )
    if call.service == "s3":
        keys |= call.signing_keys
    if call.service == "kms":
        keys |= _kms_keys(call)
    if call.principal.source is not None:
        keys |= source_keys(call.principal.source, call.principal.account)
    return keys


def _kms_keys(call: Call) -> dict[str, Values]:
    """Through which service a key is used, as it calls on behalf of somebody.

    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    """
    keys: dict[str, Values] = {}
    if call.operation in _OF_GRANTS:
        keys["kms:GrantIsForAWSResource"] = "true" if call.asked_by else "false"
    if call.asked_by is not None:
        keys["kms:ViaService"] = f"{call.asked_by}.{call.region}.amazonaws.com"
    return keys


_OF_GRANTS = frozenset({"CreateGrant", "ListGrants", "RevokeGrant"})
