"""A handler is declared with its permission beside it; the door reads the declaration.

    @operation("sqs:SendMessage", resource=queue_arn)
    async def send_message(ctx: Context, *, queue_url: str, message_body: str) -> dict[str, Any]: ...

The handler's name is the operation's and its keyword parameters are the members of the operation's
input, both in botocore's snake case (a name that Python or its built-ins own gets a trailing
underscore: `filter_`). Nested values stay as AWS spells them, and so does the answer. A member that
a handler neither takes nor lists in `ignores` is refused by the door: nothing is silently dropped.

Members that several operations share stand in a TypedDict, which a handler takes as `**asked: Unpack[...]`;
none of them is required.

A handler that stores most of a request and tells it again as it came lists those members, in AWS's spelling,
as `keeps`, and gets the ones that are given as its parameter `kept`.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args, get_type_hints

from passrole.policy.request import Values
from passrole.services.context import Context

Parameters = Mapping[str, Any]
Handler = Callable[..., Awaitable[dict[str, Any] | None]]
ResourceOf = Callable[[Context, Parameters], str | Awaitable[str]]
KeysOf = Callable[[Context, Parameters], Mapping[str, Values] | Awaitable[Mapping[str, Values]]]
H = TypeVar("H", bound=Handler)

KEPT = "kept"


@dataclass(frozen=True)
class Permission:
    """One request that the caller must be allowed.

    `resource_policy` is the document (JSON) attached to the resource. A further permission on the resource of
    the operation itself has the operation's.
    """

    action: str
    resource: str
    context: Mapping[str, Values] = field(default_factory=dict)
    resource_policy: str | tuple[str, ...] | None = None


AlsoOf = Callable[[Context, Parameters], Sequence[Permission] | Awaitable[Sequence[Permission]]]
PolicyOf = Callable[[Context, Parameters], Awaitable[str | Sequence[str] | None]]


@dataclass(frozen=True)
class PassRole:
    """The call hands a role over: `iam:PassRole` on the ARN in `parameter`, to the service `to`.

    Not asked where the parameter is absent. The role will serve the resource of the operation.
    """

    parameter: str
    to: str


@dataclass(frozen=True)
class Operation:
    """A declared handler. `action` is None where AWS asks for no permission (GetCallerIdentity).

    `versioned` takes its place where the call names a version of its object, as S3 has it.

    `resource`, `keys`, `also` and `resource_policy` read the parameters in snake case. `also` names
    further permissions that depend on them, such as AddTags where tags are given; `resource_policy` is
    the document (JSON) attached to the resource: a queue's policy, or for AssumeRole the role's trust. Where
    several are attached, each is judged as it stands.
    """

    name: str
    handler: Handler
    action: str | None
    versioned: str | None
    resource: ResourceOf
    passes: tuple[PassRole, ...]
    keys: KeysOf | None
    also: AlsoOf | None
    resource_policy: PolicyOf | None
    ignores: frozenset[str]
    keeps: frozenset[str]
    takes: frozenset[str]
    required: frozenset[str]


def passing(role: str, to: str, associated: str | None = None) -> Permission:
    """The permission to hand a role to a service, on behalf of the resource `associated` where that is known.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
    """
    keys = {"iam:PassedToService": to}
    if associated is not None:
        keys["iam:AssociatedResourceArn"] = associated
    return Permission("iam:PassRole", role, keys)


def anything(_ctx: Context, _parameters: Parameters) -> str:
    """The resource of actions that are authorised on `*`."""
    return "*"


def operation(
    action: str | None,
    *,
    versioned: str | None = None,
    resource: ResourceOf = anything,
    passes: Sequence[PassRole] = (),
    keys: KeysOf | None = None,
    also: AlsoOf | None = None,
    resource_policy: PolicyOf | None = None,
    ignores: Sequence[str] = (),
    keeps: Sequence[str] = (),
) -> Callable[[H], H]:
    """Declare the decorated coroutine function as the handler of the operation it is named after."""

    def declare(handler: H) -> H:
        signature = inspect.signature(handler).parameters.values()
        parameters = [p for p in signature if p.kind is p.KEYWORD_ONLY and p.name != KEPT]
        shared = [name for p in signature if p.kind is p.VAR_KEYWORD for name in _members(p.annotation)]
        declared = Operation(
            name=handler.__name__,
            handler=handler,
            action=action,
            versioned=versioned,
            resource=resource,
            passes=tuple(passes),
            keys=keys,
            also=also,
            resource_policy=resource_policy,
            ignores=frozenset(ignores),
            keeps=frozenset(keeps),
            takes=frozenset([*(parameter.name for parameter in parameters), *shared]),
            required=frozenset(p.name for p in parameters if p.default is inspect.Parameter.empty),
        )
        handler.__operation__ = declared  # type: ignore[attr-defined]
        return handler

    return declare


def _members(unpacked: Any) -> Iterable[str]:
    """The names that `**asked: Unpack[...]` takes."""
    (members,) = get_args(unpacked)
    return get_type_hints(members)
