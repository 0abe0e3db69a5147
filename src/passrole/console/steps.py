"""The steps of an execution as its page lists them: pure, from what AWS answers and the definition.

Each step of the definition is there, in the order of the graph, also those that have not started.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import orjson

from passrole.console import graph
from passrole.console.graph import NOT_TAKEN, Picture
from passrole.definition import Pipeline, parse_stored

Listed = Mapping[str, Any]

ENDED: Final = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})
WAITING, NOT_STARTED, NOT_RUN = "Waiting", "Not started", "Not run"

TRAINING, TUNING, PROCESSING = "TrainingJob", "HyperParameterTuningJob", "ProcessingJob"
_JOBS: Final = {
    TRAINING: (TRAINING, "Arn"),
    PROCESSING: (PROCESSING, "Arn"),
    "TransformJob": ("TransformJob", "Arn"),
    "TuningJob": (TUNING, "Arn"),
    "QualityCheck": (PROCESSING, "CheckJobArn"),
    "ClarifyCheck": (PROCESSING, "CheckJobArn"),
}
"""How the metadata of a step name its job, what SageMaker calls it, and where its ARN is."""
_WITHIN = ("IfSteps", "ElseSteps", "ForEachBody")
_HIDDEN = "CallbackToken"
"""A bearer's secret: it is in no page."""


@dataclass(frozen=True)
class StepLine:
    """A step; moments in seconds since the epoch. `source` is the id of the execution that really ran it.

    `loop` and `item` are of a step that an iteration of a loop runs.
    """

    name: str
    type_: str
    status: str
    started: float | None = None
    ended: float | None = None
    reason: str = ""
    attempt: int = 1
    outcome: str = ""
    source: str = ""
    is_cached: bool = False
    outputs: Sequence[tuple[str, str]] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    depends_on: Sequence[str] = ()
    loop: str = ""
    item: str = ""

    @property
    def counts(self) -> str:
        """Of a loop: how many steps of its iterations are over."""
        found = self.metadata.get("ForEach", {})
        over = sum(found.get(f"{each}StepCount", 0) for each in ("Succeeded", "Failed", "Stopped"))
        return f"{over} of {found['TotalStepCount']}" if "TotalStepCount" in found else ""

    @property
    def is_folded(self) -> bool:
        """Whether the counts of its loop tell enough of it."""
        return bool(self.loop) and self.status == "Succeeded"

    def seconds(self, now: float) -> float | None:
        """How long it took, or takes already; None before it started."""
        return None if self.started is None else max(0.0, (self.ended or now) - self.started)


@lru_cache(128)
def pipeline_of(definition: str) -> Pipeline:
    """The pipeline of a definition that is stored."""
    return parse_stored(definition)


@lru_cache(64)
def picture_of(definition: str) -> Picture:
    """The picture of a stored definition."""
    found = pipeline_of(definition).graph
    return graph.layout(found.dependencies, found.order())


@lru_cache(16)
def definitions_of(definition: str) -> Mapping[str, Mapping[str, Any]]:
    """The steps of a stored definition as it has them, by name, also those within branches and loops."""
    found: dict[str, Mapping[str, Any]] = {}
    _gather(orjson.loads(definition)["Steps"], found)
    return found


def lines_of(definition: str, listed: Sequence[Listed], status: str) -> list[StepLine]:
    """All steps, those of iterations behind their loop; `listed` are those that started, newest first.

    `status` is the execution's.
    """
    pipeline = pipeline_of(definition)
    started = {each["StepName"]: each for each in listed}
    inside: dict[str, list[StepLine]] = {}
    for each in reversed(listed):
        if each["StepName"] not in pipeline.steps:
            loop = each.get("IterationContext", {}).get("ParentStepName", "")
            inside.setdefault(loop, []).append(_line(pipeline, each))
    lines: list[StepLine] = []
    for name in pipeline.graph.order():
        known = started.get(name)
        lines.append(_line(pipeline, known) if known else _waiting_line(pipeline, name, started, status))
        lines += inside.get(name, ())
    return lines


def job_of(metadata: Listed) -> tuple[str, str] | None:
    """What SageMaker calls the kind of a step's job, and the job's name; None of a step without one."""
    for member, (kind, key) in _JOBS.items():
        arn = metadata.get(member, {}).get(key)
        if isinstance(arn, str):
            return kind, arn.rpartition("/")[2]
    return None


def _gather(steps: Sequence[Mapping[str, Any]], found: dict[str, Mapping[str, Any]]) -> None:
    for step in steps:
        found[step["Name"]] = step
        arguments = step.get("Arguments")
        for member in _WITHIN:
            inner = arguments.get(member) if isinstance(arguments, Mapping) else None
            if isinstance(inner, list):
                _gather(inner, found)


def _line(pipeline: Pipeline, listed: Listed) -> StepLine:
    name, metadata = listed["StepName"], listed.get("Metadata", {})
    source, step = _source(listed), pipeline.find(name)
    iteration = listed.get("IterationContext", {})
    made = next((each["OutputParameters"] for each in metadata.values() if "OutputParameters" in each), ())
    return StepLine(
        name=name,
        type_=step.type_ if step else "",
        status=_status(listed, metadata),
        started=listed.get("StartTime"),
        ended=listed.get("EndTime"),
        reason=listed.get("FailureReason", ""),
        attempt=listed.get("AttemptCount", 1),
        outcome=metadata.get("Condition", {}).get("Outcome", ""),
        source=source.rpartition("/")[2],
        is_cached="CacheHitResult" in listed,
        outputs=[(each["Name"], each["Value"]) for each in made],
        metadata=_without_secrets(metadata),
        depends_on=pipeline.graph.dependencies.get(name, ()),
        loop=iteration.get("ParentStepName", ""),
        item=iteration.get("Item", ""),
    )


def _status(listed: Listed, metadata: Listed) -> str:
    waits = "CallbackToken" in metadata.get("Callback", {}) and listed["StepStatus"] == "Executing"
    return WAITING if waits else str(listed["StepStatus"])


def _waiting_line(pipeline: Pipeline, name: str, started: Mapping[str, Listed], status: str) -> StepLine:
    word = NOT_RUN if status in ENDED else NOT_STARTED
    if _is_ruled_out(pipeline, name, started):
        word = NOT_TAKEN
    type_, needed = pipeline.steps[name].type_, pipeline.graph.dependencies[name]
    return StepLine(name=name, type_=type_, status=word, depends_on=needed)


def _is_ruled_out(pipeline: Pipeline, name: str, started: Mapping[str, Listed]) -> bool:
    """Whether its condition, or that of a step that it depends on, had the other outcome."""
    seen, asked = {name}, [name]
    while asked:
        each = asked.pop()
        branch = pipeline.graph.branches.get(each)
        if branch is not None and branch.condition in started:
            outcome = started[branch.condition].get("Metadata", {}).get("Condition", {}).get("Outcome")
            if outcome is not None and outcome != str(branch.outcome):
                return True
        further = [step for step in pipeline.graph.dependencies[each] if step not in seen | started.keys()]
        seen.update(further)
        asked += further
    return False


def _source(listed: Listed) -> str:
    for each in ("CacheHitResult", "SelectiveExecutionResult"):
        if each in listed:
            return str(listed[each].get("SourcePipelineExecutionArn", ""))
    return ""


def _without_secrets(metadata: Listed) -> dict[str, Any]:
    return {
        member: {name: value for name, value in values.items() if name != _HIDDEN}
        if isinstance(values, Mapping)
        else values
        for member, values in metadata.items()
    }
