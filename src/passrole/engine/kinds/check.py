"""QualityCheck and ClarifyCheck steps: a processing job that calculates a baseline, and may compare it.

    SkipCheck  RegisterNewBaseline  compares  BaselineUsedForDriftCheck
    false      false                yes       the earlier baseline
    false      true                 yes       the calculated one
    true       false                no        the earlier baseline
    true       true                 no        the calculated one

The earlier baseline is the one that is supplied, file by file; else that of the latest approved package of
the group, which is asked for before the job begins. Where one is needed and there is none, the step fails.
https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-quality-clarify-baseline-lifecycle.html

AWS's analysers find the earlier baseline by two variables of their environment, and tell violations by the
exit message of their job.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-inputs.html
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-results.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from passrole.definition import CheckStep
from passrole.definition.expressions import Expression, Json
from passrole.engine.commands import FindBaseline
from passrole.engine.facts import JobEnded, Metadata
from passrole.engine.kinds.job import JobType, Verdict
from passrole.engine.kinds.sagemaker_job import sagemaker_job
from passrole.engine.resolve import resolve, resolve_text
from passrole.engine.scope import Scope, Unresolvable
from passrole.engine.state import State, StepState

VIOLATED: Final = "CompletedWithViolations"
"""How the exit message of an analyser begins that has found violations."""

_BASELINE_FOLDER = "/opt/ml/processing/baseline"
_MODEL = "model_name"
"""The variable that names the model of a ClarifyCheck step to its analyser."""

_REPORT = "constraint_violations.json"
_PROCESSING = sagemaker_job("Processing")

Baseline = Mapping[str, str]
"""The URIs of a baseline's files: of its Constraints, and of a QualityCheck step's Statistics."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a step is to do. `earlier` is empty where no earlier baseline is needed."""

    compares: bool
    registers: bool
    earlier: Baseline


def check(word: str) -> JobType:
    """The type of step that AWS calls by this word: Quality, Clarify."""
    member = f"{word}Check"

    def known(step: CheckStep, scope: Scope) -> Metadata:
        flags = {
            "SkipCheck": _flag(step.skip, scope, "SkipCheck"),
            "RegisterNewBaseline": _registers(step, scope),
        }
        group = _group(step, scope)
        named = {} if group is None else {"ModelPackageGroupName": group}
        return {member: {"CheckType": step.check_type, **flags, **named}}

    def verdict(state: State, fact: JobEnded) -> Verdict:
        progress = state.steps[fact.step]
        assert isinstance(progress.step, CheckStep)
        scope = Scope(state, progress.started_at, progress.read)
        plan, folder = plan_of(progress.step, scope), _output(fact.properties)
        calculated = {file: f"{folder}/{_FILES[member][file]}" for file in progress.step.baseline_files}
        used = calculated if plan.registers else plan.earlier
        found = {
            **{f"CalculatedBaseline{file}": uri for file, uri in calculated.items()},
            **{f"BaselineUsedForDriftCheck{file}": uri for file, uri in used.items()},
        }
        if not plan.compares or not str(fact.properties.get("ExitMessage") or "").startswith(VIOLATED):
            return Verdict({member: found})
        report = f"{folder}/{_REPORT}"
        metadata: Metadata = {member: {**found, "ViolationReport": report}}
        if not _flag(progress.step.fail_on_violation, scope, "FailOnViolation"):
            return Verdict(metadata)
        return Verdict(metadata, f"ClientError: {word} check failed. See violation report {report}")

    def handle(progress: StepState) -> Mapping[str, Json]:
        return {"Arn": progress.metadata[member]["CheckJobArn"]}

    return JobType(_PROCESSING.name, _request, handle, _stated, _asks, known, verdict)


def plan_of(step: CheckStep, scope: Scope) -> Plan:
    """What the step is to do, once a baseline was looked for where one is missing. Raises Unresolvable."""
    compares, registers = not _flag(step.skip, scope, "SkipCheck"), _registers(step, scope)
    if registers and not compares:
        return Plan(compares, registers, {})
    earlier = {**_recorded(step, scope), **_supplied(step, scope)}
    missing = [file for file in step.baseline_files if file not in earlier]
    if missing:
        raise Unresolvable(_without(step, scope, missing))
    return Plan(compares, registers, earlier)


def _asks(step: CheckStep, attempt: int, scope: Scope) -> FindBaseline | None:
    """Nothing, where no earlier baseline is needed, it is supplied, or it was looked for already."""
    progress, group = scope.state.steps.get(step.name), _group(step, scope)
    is_asked = progress is not None and progress.baselines is not None
    if is_asked or group is None or len(_supplied(step, scope)) == len(step.baseline_files):
        return None
    if _flag(step.skip, scope, "SkipCheck") and _registers(step, scope):
        return None
    return FindBaseline(step=step.name, attempt=attempt, group=group)


def _stated(step: CheckStep, name: str, scope: Scope) -> dict[str, Json]:
    """The request as the definition has it, and those members of the step that a cache key has."""
    members: dict[str, Json] = {
        "CheckType": step.check_type,
        "SkipCheck": _flag(step.skip, scope, "SkipCheck"),
        "RegisterNewBaseline": _registers(step, scope),
        "ModelPackageGroupName": _group(step, scope),
        "ModelName": None if step.model is None else resolve_text(step.model, scope, "ModelName"),
        **{f"SuppliedBaseline{file}": uri for file, uri in _supplied(step, scope).items()},
    }
    given = {key: value for key, value in members.items() if value is not None}
    return {**_PROCESSING.request(step, name, scope), **given}


def _request(step: CheckStep, name: str, scope: Scope) -> dict[str, Json]:
    """With the model of the step, and with the earlier baseline as inputs of the job, if it is to compare.

    The SDK leaves the model's name out of the analysis configuration, which it makes before there is a model.
    """
    request, plan = _PROCESSING.request(step, name, scope), plan_of(step, scope)
    earlier = plan.earlier if plan.compares else {}
    places = {file: f"{_BASELINE_FOLDER}/{file.lower()}" for file in earlier}
    model = None if step.model is None else resolve_text(step.model, scope, "ModelName")
    variables = {
        **({} if model is None else {_MODEL: model}),
        **{
            f"baseline_{file.lower()}": f"{places[file]}/{uri.rpartition('/')[2]}"
            for file, uri in earlier.items()
        },
    }
    further = [_input(f"baseline_{file.lower()}", uri, places[file]) for file, uri in earlier.items()]
    environment, inputs = request.get("Environment"), request.get("ProcessingInputs")
    added: dict[str, Json] = {}
    if variables:
        added["Environment"] = {**(environment if isinstance(environment, dict) else {}), **variables}
    if further:
        added["ProcessingInputs"] = [*(inputs if isinstance(inputs, list) else []), *further]
    return {**request, **added}


def _input(name: str, uri: str, path: str) -> Json:
    source: dict[str, Json] = {
        "S3Uri": uri,
        "LocalPath": path,
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {"InputName": name, "S3Input": source}


def _supplied(step: CheckStep, scope: Scope) -> Baseline:
    """Those of its files that the step itself names; an empty text names none."""
    given = {"Constraints": step.supplied_constraints, "Statistics": step.supplied_statistics}
    uris = {
        file: resolve_text(expression, scope, f"SuppliedBaseline{file}")
        for file, expression in given.items()
        if expression is not None
    }
    return {file: uri for file, uri in uris.items() if uri}


def _recorded(step: CheckStep, scope: Scope) -> Baseline:
    """Those of its files that the approved package has for this type of check."""
    progress = scope.state.steps.get(step.name)
    kept: Json = dict(progress.baselines or {}) if progress else {}
    member, constraints = _DRIFT_BASELINES[step.check_type]
    of_type = kept.get(member) if isinstance(kept, dict) else None
    if not isinstance(of_type, dict):
        return {}
    sources = {"Constraints": of_type.get(constraints), "Statistics": of_type.get("Statistics")}
    uris = {file: each.get("S3Uri") for file, each in sources.items() if isinstance(each, dict)}
    return {file: uri for file, uri in uris.items() if isinstance(uri, str) and file in step.baseline_files}


def _without(step: CheckStep, scope: Scope, missing: list[str]) -> str:
    """AWS documents that the step fails, and no words for it."""
    group, progress = _group(step, scope), scope.state.steps.get(step.name)
    needed = f"No earlier baseline for the check {step.check_type}"
    if group is None:
        place = "the step names no model package group and supplies no file of "
    elif progress is None or progress.package is None:
        place = f"the model package group {group} has no approved package, and the step supplies no file of "
    else:
        place = f"the approved package {progress.package} has no "
    advice = "Supply it, or set SkipCheck and RegisterNewBaseline to true to begin with a new baseline."
    return f"{needed}: {place}{' and '.join(each.lower() for each in missing)}. {advice}"


def _output(described: Mapping[str, Json]) -> str:
    """Where the job has left its files: its only output."""
    config = described.get("ProcessingOutputConfig")
    outputs = config.get("Outputs") if isinstance(config, dict) else None
    first = outputs[0] if isinstance(outputs, list) and outputs else None
    s3 = first.get("S3Output") if isinstance(first, dict) else None
    return str(s3.get("S3Uri") if isinstance(s3, dict) else "").rstrip("/")


def _registers(step: CheckStep, scope: Scope) -> bool:
    return _flag(step.register, scope, "RegisterNewBaseline")


def _group(step: CheckStep, scope: Scope) -> str | None:
    return None if step.group is None else resolve_text(step.group, scope, "ModelPackageGroupName") or None


def _flag(expression: Expression, scope: Scope, member: str) -> bool:
    value = resolve(expression, scope)
    if not isinstance(value, bool):
        raise Unresolvable(f"The value of {member} is not a Boolean.")
    return value


_FILES: Final[Mapping[str, Mapping[str, str]]] = {
    "QualityCheck": {"Statistics": "statistics.json", "Constraints": "constraints.json"},
    "ClarifyCheck": {"Constraints": "analysis.json"},
}
_DRIFT_BASELINES: Final[Mapping[str, tuple[str, str]]] = {
    "DATA_QUALITY": ("ModelDataQuality", "Constraints"),
    "MODEL_QUALITY": ("ModelQuality", "Constraints"),
    "DATA_BIAS": ("Bias", "PreTrainingConstraints"),
    "MODEL_BIAS": ("Bias", "PostTrainingConstraints"),
    "MODEL_EXPLAINABILITY": ("Explainability", "Constraints"),
}
"""By the type of the check, where DriftCheckBaselines have its files.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DriftCheckBaselines.html
"""
