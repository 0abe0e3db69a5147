"""The needs of a pipeline's role, and of the principal that deploys and starts the pipeline.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html
https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-access.html
"""

from collections.abc import Iterator
from typing import Final

from passrole import arns
from passrole.definition.expressions import Json
from passrole.needs.document import Definition, RawStep
from passrole.needs.need import ANY, SAGEMAKER, Need, Place, pass_role, repository_arn
from passrole.needs.steps import KINDS, json_gets, needs_of_step
from passrole.policy.request import Values
from passrole.policy.request_keys import call_keys, source_keys
from passrole.policy.trust import ASSUME_ROLE, assume_keys

_WITH_INPUTS: Final = ("Lambda", "Callback")


def needs_of_role(definition: Definition, place: Place) -> list[Need]:
    """The needs of the execution role, in the order of the steps, without duplicates within a step."""
    found = [
        need
        for step in definition.steps
        for need in (needs_of_step if step.type in KINDS else json_gets)(step, definition, place)
    ]
    return list({(need.step, need.action, need.resource, str(need.context)): need for need in found}.values())


def unknown_steps(definition: Definition) -> list[RawStep]:
    """The steps of types whose needs are not known."""
    return [step for step in definition.steps if step.type not in KINDS]


def keys_of_calls(place: Place) -> dict[str, Values]:
    """The condition keys of every call of an execution; AWS's services call each other over TLS."""
    return call_keys(place.region, secure=True)


def trust_need(role_arn: str, pipeline: str = "", place: Place | None = None) -> Need:
    """SageMaker's need to assume the role, for executions of the pipeline (by its name).

    https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
    """
    own = arns.parse(role_arn)
    place = place or Place(ANY, own.account if own else ANY)
    execution = place.arn("sagemaker", f"pipeline/{pipeline or ANY}/execution/{ANY}")
    keys = {**assume_keys(session_name=ANY), **source_keys(execution, place.account)}
    return Need(None, ASSUME_ROLE, role_arn, f"{SAGEMAKER} runs the steps with the role", keys)


def needs_of_caller(pipeline: str, role_arn: str, place: Place) -> list[Need]:
    """The needs of the principal that creates and starts the pipeline (by its name)."""
    arn = place.arn("sagemaker", f"pipeline/{pipeline or ANY}")
    pattern = not pipeline
    return [
        Need(None, "sagemaker:CreatePipeline", arn, "creates it", when="deploy", is_pattern=pattern),
        pass_role(None, role_arn, SAGEMAKER, "RoleArn", deploy=True, associated=None if pattern else arn),
        Need(None, "sagemaker:StartPipelineExecution", arn, "starts it", when="deploy", is_pattern=pattern),
        Need(
            None,
            "sagemaker:AddTags",
            arn,
            "gives it tags",
            {"sagemaker:TaggingAction": "CreatePipeline"},
            when="if tagged",
            is_pattern=pattern,
        ),
    ]


def place_of(definition: Definition, default: Place) -> Place:
    """The region and account of the ARNs in the definition: of a function, a queue, a role, a key, ...

    Functions and queues have both, and come first, since they must be where the pipeline is.
    """
    named = next(_places(definition, default), None)
    if named is not None:
        return named
    # The inputs of functions and messages may name resources anywhere.
    steps = [step for step in definition.steps if step.type not in _WITH_INPUTS]
    found = [arn for step in steps for arn in _arns(dict(step.members))]
    account = next((arn.account for arn in found if arn.service in ("iam", "kms") and arn.account), None)
    region = next((arn.region for arn in found if arn.region), None)
    partition = next((arn.partition for arn in found), None)
    if region is None and partition is not None and partition != default.partition:
        region = arns.first_region(partition)
    return Place(region or default.region, account or default.account)


def _places(definition: Definition, default: Place) -> Iterator[Place]:
    for step in definition.steps:
        if step.type in _WITH_INPUTS:
            for need in KINDS[step.type](step, definition, default):
                found = arns.parse(need.resource)
                if found and found.region and found.account and ANY not in found.region + found.account:
                    yield Place(found.region, found.account)


def _arns(value: Json) -> Iterator[arns.Arn]:
    """All ARNs and ECR images in the texts of a step."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _arns(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _arns(inner)
    elif isinstance(value, str):
        found = arns.parse(value) or arns.parse(repository_arn(value, Place("", "")) or "")
        if found is not None and ANY not in found.region + found.account:
            yield found
