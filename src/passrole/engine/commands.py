"""What the engine wants done, in the imperative: the words of the outbox.

Knows no AWS client; `worker/effects.py` has one function per command. A command may be performed
twice after a crash, so `key` tells the same command from another one of its execution. The driver
answers each with an input fact: InvokeFunction with LambdaReturned, LambdaTimedOut or EffectFailed,
SendCallback with CallbackSent or EffectFailed of the same `status`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, get_args

from passrole.definition.expressions import Json
from passrole.engine.facts import MessageStatus
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
    status: MessageStatus = "Executing"


Command: TypeAlias = InvokeFunction | SendCallback


def key(command: Command) -> str:
    """Names the command within its execution: the same however often it is performed or decided."""
    name = f"{command.step}/{command.attempt}"
    return f"{name}/stopping" if isinstance(command, SendCallback) and command.status == "Stopping" else name


def to_json(command: Command) -> dict[str, Json]:
    """The command as an object whose member `command` is its class name."""
    return _CODEC.to_json(command)


def from_json(document: Mapping[str, Json]) -> Command:
    """The command that `to_json` wrote."""
    return _CODEC.from_json(document)


_CODEC: Codec[Command] = Codec("command", get_args(Command), {})
