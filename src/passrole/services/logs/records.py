"""Log groups and streams as they are stored, their keys and their ARNs."""

from dataclasses import dataclass

from passrole import arns
from passrole.services.context import Context
from passrole.services.logs import refusals
from passrole.services.operation import Parameters
from passrole.store import Collection, Tx

DAY = 86_400_000  # in milliseconds, the unit of all times of this service


@dataclass(frozen=True)
class Group:
    """A log group. `created` is in epoch milliseconds; without `retention` (days) events stay for ever."""

    name: str
    created: int
    retention: int | None = None

    def kept_since(self, now: int) -> int:
        """The moment before which events have expired."""
        return 0 if self.retention is None else now - self.retention * DAY


@dataclass(frozen=True)
class Stream:
    """A log stream of a group; `created` as in Group."""

    name: str
    created: int


GROUPS = Collection("log_group", Group)
STREAMS = Collection("log_stream", Stream, separator=":")


def now_ms(ctx: Context) -> int:
    """The time in epoch milliseconds."""
    return int(ctx.clock() * 1000)


def stream_key(group: str, stream: str) -> str:
    """The key of a stream; neither a group's name nor a stream's has a colon."""
    return STREAMS.child(group, stream)


def existing_group(tx: Tx, key: str) -> Group:
    """The group under a key. Raises ResourceNotFoundException."""
    return GROUPS.require(tx, key, refusals.no_group)


def existing_stream(tx: Tx, group: str, stream: str) -> Stream:
    """A stream of an existing group, which is named by its key. Raises ResourceNotFoundException."""
    return STREAMS.require(tx, stream_key(group, stream), refusals.no_stream)


def arn(ctx: Context, name: str) -> str:
    """A group's ARN, without the `:*` that some of AWS's answers put behind it."""
    return arns.log_group(ctx.region, ctx.account, name)


def stream_arn(ctx: Context, group: str, stream: str) -> str:
    """A stream's ARN."""
    return f"{arn(ctx, group)}:log-stream:{stream}"


def group_resource(ctx: Context, parameters: Parameters) -> str:
    """What calls on a group are authorised on.

    AWS asks for `log-group:NAME:log-stream:`, as its denials print it, so that policies need `NAME:*`. A call
    on no certain group has no name there.
    """
    name = parameters.get("log_group_name")
    if not name:
        return str(arns.Arn(arns.PARTITION, "logs", ctx.region, ctx.account, "log-group::log-stream:"))
    return stream_arn(ctx, str(name), "")


def stream_resource(ctx: Context, parameters: Parameters) -> str:
    """What calls on a stream are authorised on."""
    return stream_arn(ctx, str(parameters["log_group_name"]), str(parameters["log_stream_name"]))
