"""The whole list: what the role of a pipeline needs, and what whoever deploys and starts it needs.

It judges nothing. Facts: SageMaker Developer Guide, "Build and manage steps" and "IAM access management".
"""

from collections.abc import Iterator
from contextlib import suppress

from passrole import arns
from passrole.arns import Account, Region, Unfit
from passrole.needs.document import Definition, RawStep
from passrole.needs.need import ANY, SAGEMAKER, Need, Place, pass_role
from passrole.needs.steps import KINDS
from passrole.policy.trust import ASSUME_ROLE


def needs_of_role(definition: Definition, place: Place) -> list[Need]:
    """What the execution role will be asked for, in the order of the steps; nothing twice for a step."""
    found = [
        need
        for step in definition.steps
        if step.type in KINDS
        for need in KINDS[step.type](step, definition, place)
    ]
    return list({(need.step, need.action, need.resource, str(need.context)): need for need in found}.values())


def unknown_steps(definition: Definition) -> list[RawStep]:
    """The steps of types whose needs are not known."""
    return [step for step in definition.steps if step.type not in KINDS]


def trust_need(role_arn: str) -> Need:
    """That SageMaker may become the role at all."""
    return Need(None, ASSUME_ROLE, role_arn, f"{SAGEMAKER} runs the steps with the role")


def needs_of_caller(pipeline: str, role_arn: str, place: Place) -> list[Need]:
    """What creating the pipeline (by its name) and starting it asks of whoever does so."""
    arn = arns.pipeline(place.region, place.account, pipeline or ANY)
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
    """The region and account of the first function or queue that the definition names in full."""
    return next(_places(definition, default), default)


def _places(definition: Definition, default: Place) -> Iterator[Place]:
    for step in definition.steps:
        if step.type in ("Lambda", "Callback"):
            for need in KINDS[step.type](step, definition, default):
                found = arns.parse(need.resource)
                with suppress(Unfit):
                    if found:
                        yield Place(Region(found.region), Account(found.account))
