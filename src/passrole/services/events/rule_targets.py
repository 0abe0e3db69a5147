"""A target of a rule as a typed record: where events go, in which form, and what happens where they do not.

Pure. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from passrole import arns
from passrole.arns import Arn
from passrole.services.deliveries import DeliveryRetries, retries_of


@dataclass(frozen=True)
class RuleTarget:
    """A target. `input`, `input_path` and `transformer`: one at most is given."""

    id: str
    arn: Arn
    role: str | None = None
    input: str | None = None
    input_path: str | None = None
    transformer: Mapping[str, Any] | None = None
    retries: DeliveryRetries = field(default_factory=DeliveryRetries)
    dead_letter_queue: Arn | None = None
    message_group: str | None = None
    pipeline_parameters: tuple[tuple[str, str], ...] = ()


def rule_target(given: Mapping[str, Any]) -> RuleTarget:
    """The target as PutTargets was given it, whose ARNs have been checked."""
    arn = arns.parse(given["Arn"])
    assert arn is not None, "PutTargets takes nothing else"
    parameters = (given.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList") or ()
    return RuleTarget(
        id=given["Id"],
        arn=arn,
        role=given.get("RoleArn") or None,
        input=given.get("Input"),
        input_path=given.get("InputPath"),
        transformer=given.get("InputTransformer") or None,
        retries=retries_of(given.get("RetryPolicy")),
        dead_letter_queue=arns.parse((given.get("DeadLetterConfig") or {}).get("Arn") or ""),
        message_group=(given.get("SqsParameters") or {}).get("MessageGroupId") or None,
        pipeline_parameters=tuple((each["Name"], each["Value"]) for each in parameters),
    )
