"""What can happen to an execution, in the past tense: the words of the journal.

Knows no rules; `decide.py` says what follows from a fact. Every fact carries `at`, seconds since the
epoch: the engine has no clock of its own.

**Input facts** come from the driver, which saw them happen; **derived facts** come from `decide`,
which adds them behind the input fact that caused them. The journal holds both, in that order, so that
folding it needs no rules and gives the same state under any later version of the rules.

    input                                    derived
    ExecutionStarted                         StepStarted
    LambdaReturned  LambdaTimedOut           StepStopping
    CallbackSent    CallbackAnswered         StepSucceeded  StepFailed  StepStopped
    JobSubmitted    JobCancelSent            ExecutionEnded
    JobEnded        RetryDue                 StepPreparing  StepRetrying
    JsonRead        CacheSearched
    BaselineFound
    ResourceCreated
    EffectFailed    CommandWithdrawn
    StubAnswered
    ParallelismChanged
    StopRequested
    ExecutionRetried

A fact about a step names it by (step, attempt); whatever comes twice or too late is ignored by these
two. For the facts to and from JSON see `records.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from passrole.definition.expressions import Json, Scalar
from passrole.engine.records import Codec

ExecutionStatus: TypeAlias = Literal[
    "Executing", "Stopping", "Stopped", "Failed", "Succeeded", "CompletedWithFailures"
]
StepStatus: TypeAlias = Literal["Starting", "Executing", "Stopping", "Stopped", "Failed", "Succeeded"]
Metadata: TypeAlias = Mapping[str, Mapping[str, Json]]
"""AWS's PipelineExecutionStepMetadata: one member, named after the type of step."""

CommandPhase: TypeAlias = Literal["Executing", "Stopping"]
"""The `status` of a Callback step's message: the first message says Executing, the one on stop Stopping."""


class Output(NamedTuple):
    """One output of a step; every value is a string in the API, its declared type counts when it is read."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionStarted:
    """An execution began. `seed` is random and comes from outside: callback tokens are drawn from it.

    With `selected` only those steps run. What they wait for is `reused`, metadata by name, from the
    execution with the ARN `source`, and so are their `reused_properties`; of a loop also the steps of its
    iterations, and its items in `reused_items`. `stubs` stand for steps by name (stubs.py).
    """

    at: float
    seed: str
    pipeline_name: str
    pipeline_arn: str
    execution_id: str
    execution_arn: str
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    max_parallel_steps: int | None = None
    selected: tuple[str, ...] = ()
    source: str | None = None
    reused: Mapping[str, Metadata] = field(default_factory=dict)
    reused_properties: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    reused_items: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    stubs: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaReturned:
    """The function came to an end without error; `payload` is its result as JSON text."""

    at: float
    step: str
    attempt: int
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaTimedOut:
    """The step's limit passed while the function was running; `limit_seconds` says how long that was."""

    at: float
    step: str
    attempt: int
    limit_seconds: float = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandWithdrawn:
    """The command is not performed any more: its function had not begun when the execution was stopped or
    reached a Fail step, or its step is over.
    """

    at: float
    step: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSent:
    """The queue took the message with this status."""

    at: float
    step: str
    attempt: int
    status: CommandPhase = "Executing"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAnswered:
    """Somebody who holds the token called SendPipelineExecutionStepSuccess or ...Failure.

    `outputs` belong to a success, `reason` (the caller's own text, or None) to a failure. `by` is the ARN of
    who answered, empty in journals of versions that did not keep it; `comment` is for people.
    """

    at: float
    step: str
    attempt: int
    outcome: Literal["success", "failure"]
    outputs: tuple[Output, ...] = ()
    reason: str | None = None
    by: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSubmitted:
    """A service took the step's job. `handle` names it, as the step's metadata show it: `EMR` with ClusterId,
    StepId and StepName, `ProcessingJob` with its Arn.
    """

    at: float
    step: str
    attempt: int
    handle: Metadata


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCancelSent:
    """The job was asked to end."""

    at: float
    step: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnded:
    """The job is over. `properties` is it as its service last described it; `reason` of a failure is the
    step's FailureReason, `error` the type by which retry policies name it. `metadata` is added to what the
    handle said.
    """

    at: float
    step: str
    attempt: int
    succeeded: bool
    reason: str | None = None
    error: str | None = None
    metadata: Metadata = field(default_factory=dict)
    properties: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceCreated:
    """SageMaker has created what the step is for. `metadata` names it, as AWS shows it: `Model` with its Arn;
    `properties` is it as SageMaker describes it.
    """

    at: float
    step: str
    attempt: int
    metadata: Metadata = field(default_factory=dict)
    properties: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDue:
    """The wait before another job is over; `attempt` is the one that begins now."""

    at: float
    step: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectFailed:
    """A command could not be performed, or the function failed.

    `reason` is the step's FailureReason, such as `ClientError: Failed to invoke lambda:Invoke. Error
    Details: ...`. `status` tells, for a Callback step, which of its messages it was, and for a job whether it
    could not be submitted or not be cancelled. `error` is the type by which retry policies name the failure.
    """

    at: float
    step: str
    attempt: int
    reason: str
    status: CommandPhase = "Executing"
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonRead:
    """Documents were read for a step that is about to start; `values` are [URI, path, value at the path]."""

    at: float
    step: str
    attempt: int
    values: Sequence[tuple[str, str, Json]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSearched:
    """An earlier result was looked for. `source` is the ARN of the execution whose step really ran with the
    same arguments, with that step's metadata and properties; None where there is none that is young enough.
    """

    at: float
    step: str
    attempt: int
    source: str | None = None
    metadata: Metadata = field(default_factory=dict)
    properties: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineFound:
    """An earlier baseline was looked for. `baselines` are the DriftCheckBaselines of the latest approved
    `package` (an ARN) of the group; None where no package is approved.
    """

    at: float
    step: str
    attempt: int
    package: str | None = None
    baselines: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StubAnswered:
    """The function of a test said what a step came to; see stubs.py for the form of a `stub`."""

    at: float
    step: str
    attempt: int
    stub: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelismChanged:
    """UpdatePipelineExecution set how many steps may run at once from now on."""

    at: float
    max_parallel_steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested:
    """StopPipelineExecution was called."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRetried:
    """RetryPipelineExecution was called; None leaves the number of slots as it was."""

    at: float
    max_parallel_steps: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPreparing:
    """The step's dependencies were done and a slot was free; what it must know first is looked for: values in
    S3, or a result that it may take over.
    """

    at: float
    step: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """The step's dependencies were done and a slot was free; `metadata` is what is known from the start, and
    `items` what a loop iterates over: None in any other step, and where it had begun before a retry.
    """

    at: float
    step: str
    attempt: int
    metadata: Metadata = field(default_factory=dict)
    items: Sequence[Json] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRetrying:
    """The step's job failed in a way that its retry policies name; another is submitted at `due`."""

    at: float
    step: str
    attempt: int
    due: float
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStopping:
    """The step was running when the execution was stopped, and now waits to be let go."""

    at: float
    step: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSucceeded:
    """The step is done; `metadata` is merged into what StepStarted said.

    Where the result was taken over, `cached_from` is the ARN of the execution that it is from. `properties`
    are those of a result that was taken over, or of a stub, `property_files` the documents of a stub.
    """

    at: float
    step: str
    attempt: int
    metadata: Metadata = field(default_factory=dict)
    properties: Mapping[str, Json] = field(default_factory=dict)
    cached_from: str | None = None
    property_files: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed:
    """The step failed; `reason` is its FailureReason, None where AWS shows none."""

    at: float
    step: str
    attempt: int
    reason: str | None = None
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStopped:
    """The step was let go after the execution had been stopped."""

    at: float
    step: str
    attempt: int
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionEnded:
    """Nothing runs and nothing can; no fact but ExecutionRetried follows this one."""

    at: float
    status: ExecutionStatus
    reason: str | None = None


InputFact: TypeAlias = (
    ExecutionStarted
    | LambdaReturned
    | LambdaTimedOut
    | CommandWithdrawn
    | CallbackSent
    | CallbackAnswered
    | JobSubmitted
    | JobCancelSent
    | JobEnded
    | ResourceCreated
    | RetryDue
    | EffectFailed
    | JsonRead
    | CacheSearched
    | BaselineFound
    | StubAnswered
    | ParallelismChanged
    | StopRequested
    | ExecutionRetried
)
DerivedFact: TypeAlias = (
    StepPreparing
    | StepStarted
    | StepRetrying
    | StepStopping
    | StepSucceeded
    | StepFailed
    | StepStopped
    | ExecutionEnded
)
Fact: TypeAlias = InputFact | DerivedFact


def to_json(fact: Fact) -> dict[str, Json]:
    """The fact as an object whose member `fact` is its class name."""
    return _CODEC.to_json(fact)


def from_json(document: Mapping[str, Json]) -> Fact:
    """The fact that `to_json` wrote; KeyError for a kind of fact that does not exist."""
    return _CODEC.from_json(document)


def _pairs(outputs: Iterable[Output]) -> list[Json]:
    return [[name, value] for name, value in outputs]


def _outputs(pairs: Iterable[Any]) -> tuple[Output, ...]:
    return tuple(Output(name, value) for name, value in pairs)


def _lists(values: Iterable[Iterable[Json]]) -> list[Json]:
    return [list(each) for each in values]


def _tuples(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(tuple(each) for each in values)


def _emr_submitted(old: Mapping[str, Any]) -> Mapping[str, Json]:
    known = {"ClusterId": old["cluster_id"], "StepId": old["emr_step_id"], "StepName": old["emr_step_name"]}
    return {**old, "fact": "JobSubmitted", "handle": {"EMR": known}}


def _emr_cancel_sent(old: Mapping[str, Any]) -> Mapping[str, Json]:
    return {**old, "fact": "JobCancelSent"}


def _emr_ended(old: Mapping[str, Any]) -> Mapping[str, Json]:
    logged = {"EMR": {"LogFilePath": old["log_file"]}} if "log_file" in old else {}
    return {**old, "fact": "JobEnded", "metadata": logged}


_CODEC: Codec[Fact] = Codec(
    "fact",
    get_args(InputFact) + get_args(DerivedFact),
    {
        "outputs": (_pairs, _outputs),
        "selected": (list, tuple),
        "values": (_lists, _tuples),
    },
    former={"EmrSubmitted": _emr_submitted, "EmrCancelSent": _emr_cancel_sent, "EmrEnded": _emr_ended},
)
