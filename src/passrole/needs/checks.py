"""What QualityCheck and ClarifyCheck steps ask for beside their processing job.

The execution's role looks for an earlier baseline, the job's role reads it. A ClarifyCheck step about a model
has its job make, ask and delete a shadow endpoint.
https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-quality-clarify-baseline-lifecycle.html
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from passrole.definition.expressions import Json
from passrole.needs.document import Definition, RawStep
from passrole.needs.need import ANY, Need, Place
from passrole.policy.request import Values
from passrole.policy.request_keys import request_tag_keys, resource_tag_keys
from passrole.policy.sagemaker_keys import model_keys

_FILES: Final = {"QualityCheck": ("Statistics", "Constraints"), "ClarifyCheck": ("Constraints",)}
CHECKS: Final = tuple(_FILES)
_OF_A_MODEL: Final = ("MODEL_BIAS", "MODEL_EXPLAINABILITY")
_MAY_NOT: Final = "only if the execution is told to compare, or to keep an earlier baseline"
_PACKAGE_SAYS: Final = "only the approved model package says where its baseline is"
_LEFT: Final = "the job ends all the same, and leaves its endpoint"
_CONFIG, _ENDPOINT = "endpoint-config/sm-clarify-config-*", "endpoint/sm-clarify-*"
_TAGS: Final = {"sagemaker:clarify-processing-job": ANY}


@dataclass(frozen=True, slots=True)
class Baseline:
    """The earlier baseline of a step. A truth is None where only an execution knows it.

    `is_sought`: whether the model package group is asked for it. `is_read`: whether the job gets it.
    `supplied` are the URIs of files that the step names.
    """

    is_sought: bool | None
    is_read: bool | None
    supplied: tuple[str, ...]


def baseline_of(step: RawStep, definition: Definition) -> Baseline:
    """What is known of a check's earlier baseline before it runs."""
    skips, registers = (
        _flag(step.members.get(name), definition) for name in ("SkipCheck", "RegisterNewBaseline")
    )
    files = _FILES[step.type]
    named = (step.members.get(f"SuppliedBaseline{file}") for file in files)
    supplied = tuple(text for each in named if each is not None and (text := definition.text(each)))
    needed = None if None in (skips, registers) else not (skips and registers)
    if (skips, registers) in ((False, None), (None, False)):
        needed = True
    has_group, is_missing = bool(step.members.get("ModelPackageGroupName")), len(supplied) < len(files)
    if not has_group or (not is_missing and ANY not in supplied):
        needed = False
    elif not is_missing and needed:
        needed = None  # what only an execution knows may be empty
    return Baseline(needed, None if skips is None else not skips, supplied)


def why_optional(is_so: bool | None) -> str | None:
    """Why a run may do without what is asked for only if something is so."""
    return None if is_so else _MAY_NOT


def found_elsewhere(baseline: Baseline) -> str | None:
    """Why a run may do without reading the baseline that an approved package names; None if it reads none."""
    return _PACKAGE_SAYS if baseline.is_read is not False and baseline.is_sought is not False else None


def shadow_endpoint(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    """The calls of a job that asks a model, by the names of Clarify for an analysis that names no others."""
    if step.type != "ClarifyCheck" or step.members.get("CheckType") not in _OF_A_MODEL:
        return
    named = step.members.get("ModelName")
    model = ANY if named is None else definition.text(named)
    made, of = request_tag_keys(_TAGS), resource_tag_keys(_TAGS, ("aws", "sagemaker"))
    variant = {"ProductionVariants": [{"ModelName": model}]}
    models = model_keys(
        "sagemaker:CreateEndpointConfig", variant, lambda name: place.arn("sagemaker", f"model/{name}")
    )
    asked: tuple[tuple[str, str, str, dict[str, Values]], ...] = (
        ("CreateEndpointConfig", _CONFIG, "makes the endpoint that it asks", {**models, **made}),
        ("AddTags", _CONFIG, "tags what it makes", made),
        ("CreateEndpoint", _ENDPOINT, "makes the endpoint that it asks", made),
        ("CreateEndpoint", _CONFIG, "is asked of the configuration too", made),
        ("AddTags", _ENDPOINT, "tags what it makes", made),
        ("DescribeEndpoint", _ENDPOINT, "waits for its endpoint", of),
        ("InvokeEndpoint", _ENDPOINT, "asks the model", of),
        ("DeleteEndpoint", _ENDPOINT, "deletes its endpoint", of),
        ("DeleteEndpointConfig", _CONFIG, "deletes its endpoint", of),
    )
    for action, resource, why, context in asked:
        optional = _LEFT if action.startswith("Delete") else None
        arn = place.arn("sagemaker", resource)
        yield Need(None, f"sagemaker:{action}", arn, why, context, is_pattern=True, optional=optional)


def _flag(value: Json, definition: Definition) -> bool | None:
    """The value of a flag, which is false where it is absent."""
    if value is None or isinstance(value, bool):
        return bool(value)
    return {"true": True, "false": False}.get(definition.text(value).lower())
