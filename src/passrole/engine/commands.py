"""What the engine wants done, in the imperative: the words of the outbox.

Knows no AWS client; `worker/effects.py` has one function per command. A command may be performed
twice after a crash, so `key` tells the same command from another one of its execution. The driver
answers each with an input fact: InvokeFunction with LambdaReturned, LambdaTimedOut or CommandWithdrawn,
SendCallback with CallbackSent or EffectFailed of the same `status`, SubmitEmrStep with EmrSubmitted,
CancelEmrStep with EmrCancelSent and ReadJson with JsonRead, or each with EffectFailed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias, get_args

from passrole.definition.expressions import Json
from passrole.definition.steps import RetryPolicy
from passrole.engine.facts import CommandPhase
from passrole.engine.records import Codec


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeFunction:
    """Invoke a Lambda function synchronously; `payload` is its event."""

    step: str
    attempt: int
    function_arn: str
    payload: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCallback:
    """Send `{token, pipelineExecutionArn, arguments, status}` to a queue."""

    step: str
    attempt: int
    queue_url: str
    token: str
    arguments: Mapping[str, Json]
    status: CommandPhase = "Executing"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitEmrStep:
    """Submit `step_config` under a name to the cluster `cluster_id`, or to one made by `cluster_config`.

    `retries` are those of the definition.
    """

    step: str
    attempt: int
    emr_step_name: str
    step_config: Mapping[str, Json]
    cluster_id: str | None = None
    cluster_config: Mapping[str, Json] | None = None
    role: str | None = None
    retries: tuple[RetryPolicy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelEmrStep:
    """Ask EMR to end the EMR step; with `owns_cluster` the cluster and all."""

    step: str
    attempt: int
    cluster_id: str
    emr_step_id: str
    owns_cluster: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadJson:
    """Read values out of JSON documents in S3: `wanted` are [URI, path]. `turn` counts the reads of a step,
    for a URI may itself stand in a document.
    """

    step: str
    attempt: int
    wanted: Sequence[Sequence[str]]
    turn: int = 1


Command: TypeAlias = InvokeFunction | SendCallback | SubmitEmrStep | CancelEmrStep | ReadJson


def key(command: Command) -> str:
    """Names the command within its execution: the same however often it is performed or decided."""
    name = f"{command.step}/{command.attempt}"
    if isinstance(command, ReadJson):
        return f"{name}/json-{command.turn}"
    return f"{name}/stopping" if status_of(command) == "Stopping" else name


def status_of(command: Command) -> CommandPhase:
    """Whether the command begins its step's work or is to end it."""
    if isinstance(command, SendCallback):
        return command.status
    return "Stopping" if isinstance(command, CancelEmrStep) else "Executing"


def to_json(command: Command) -> dict[str, Json]:
    """The command as an object whose member `command` is its class name."""
    return _CODEC.to_json(command)


def from_json(document: Mapping[str, Json]) -> Command:
    """The command that `to_json` wrote."""
    return _CODEC.from_json(document)


def _to_objects(policies: Iterable[RetryPolicy]) -> list[Json]:
    return [asdict(policy) for policy in policies]


def _to_policies(objects: Iterable[Mapping[str, Any]]) -> tuple[RetryPolicy, ...]:
    return tuple(RetryPolicy(**{**each, "exceptions": tuple(each["exceptions"])}) for each in objects)


_CODEC: Codec[Command] = Codec("command", get_args(Command), {"retries": (_to_objects, _to_policies)})
