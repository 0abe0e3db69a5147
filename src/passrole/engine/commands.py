"""What the engine wants done, in the imperative: the words of the outbox.

Knows no AWS client; `worker/effects.py` has one function per command. A command may be performed
twice after a crash, so `key` tells the same command from another one of its execution. The driver
answers each with an input fact: InvokeFunction with LambdaReturned, LambdaTimedOut or CommandWithdrawn,
SendCallback with CallbackSent or EffectFailed of the same `status`, SubmitJob with JobSubmitted, CancelJob
with JobCancelSent, CreateResource with ResourceCreated, ReadJson with JsonRead, FindBaseline with
BaselineFound and AnswerStub with StubAnswered, or each with EffectFailed.

Two are not performed outside: SearchCache is answered by CacheSearched from the store, and AwaitRetry by
RetryDue once it is time.
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
class SubmitJob:
    """Have a service run a job. `kind` is the type of the step, `name` the job's, `request` what the service
    is asked, in AWS's spelling; `retries` are those of the definition.
    """

    step: str
    attempt: int
    kind: str
    name: str
    request: Mapping[str, Json]
    retries: tuple[RetryPolicy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateResource:
    """Have SageMaker create what the step is for, by one call. The members are SubmitJob's; `name` is empty
    where SageMaker numbers what it creates. `since` is when the step started, in seconds since the epoch.
    """

    step: str
    attempt: int
    kind: str
    name: str
    request: Mapping[str, Json]
    retries: tuple[RetryPolicy, ...] = ()
    since: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelJob:
    """Ask for the end of the job that `handle` names: JobSubmitted's, and of an EMR step whether its cluster
    was made for it (OwnsCluster), and so ends with it.
    """

    step: str
    attempt: int
    kind: str
    handle: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadJson:
    """Read values out of JSON documents in S3: `wanted` are [URI, path]. `turn` counts the reads of a step,
    for a URI may itself stand in a document.
    """

    step: str
    attempt: int
    wanted: Sequence[Sequence[str]]
    turn: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FindBaseline:
    """Look for the baselines of the latest approved package of a model package `group`."""

    step: str
    attempt: int
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStub:
    """Ask the function of a test what a step came to, whose `arguments` these are."""

    step: str
    attempt: int
    arguments: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchCache:
    """Look for a result of the same `digest` in the same pipeline, at most `age_seconds` old."""

    step: str
    attempt: int
    digest: str
    age_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitRetry:
    """Say when it is `due`, in seconds since the epoch."""

    step: str
    attempt: int
    due: float


PerformedOutside: TypeAlias = (
    InvokeFunction
    | SendCallback
    | SubmitJob
    | CreateResource
    | CancelJob
    | ReadJson
    | FindBaseline
    | AnswerStub
)
Command: TypeAlias = PerformedOutside | SearchCache | AwaitRetry


def key(command: Command) -> str:
    """Names the command within its execution: the same however often it is performed or decided."""
    name = f"{command.step}/{command.attempt}"
    if isinstance(command, ReadJson):
        return f"{name}/json-{command.turn}"
    if isinstance(command, FindBaseline):
        return f"{name}/baseline"
    return f"{name}/stopping" if status_of(command) == "Stopping" else name


def status_of(command: Command) -> CommandPhase:
    """Whether the command begins its step's work or is to end it."""
    if isinstance(command, SendCallback):
        return command.status
    return "Stopping" if isinstance(command, CancelJob) else "Executing"


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


def _submit_emr_step(old: Mapping[str, Any]) -> Mapping[str, Json]:
    members = {
        "cluster_id": "ClusterId",
        "cluster_config": "ClusterConfig",
        "step_config": "StepConfig",
        "role": "ExecutionRoleArn",
    }
    request = {member: old[name] for name, member in members.items() if name in old}
    return {**old, "command": "SubmitJob", "kind": "EMR", "name": old["emr_step_name"], "request": request}


def _cancel_emr_step(old: Mapping[str, Any]) -> Mapping[str, Json]:
    members = {"ClusterId": "cluster_id", "StepId": "emr_step_id", "OwnsCluster": "owns_cluster"}
    handle = {member: old[name] for member, name in members.items()}
    return {**old, "command": "CancelJob", "kind": "EMR", "handle": handle}


_CODEC: Codec[Command] = Codec(
    "command",
    get_args(Command),
    {"retries": (_to_objects, _to_policies)},
    former={"SubmitEmrStep": _submit_emr_step, "CancelEmrStep": _cancel_emr_step},
)
