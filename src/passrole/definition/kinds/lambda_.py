"""Lambda steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from passrole.definition.expressions import Expression
from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.step_members import (
    is_declared,
    read_arguments,
    read_cache,
    read_outputs,
    read_shared,
    refuse_retries,
)
from passrole.definition.steps import CacheConfig, OutputParameter, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaStep(Step):
    """Invokes a function with the resolved arguments as its event."""

    type_: ClassVar[str] = "Lambda"

    function_arn: Expression
    arguments: Expression
    outputs: tuple[OutputParameter, ...] = ()
    cache: CacheConfig | None = None


def _read(node: Node) -> Iterator[Step]:
    refuse_retries(node)
    yield LambdaStep(
        **read_shared(node),
        function_arn=node.text_expression("FunctionArn"),
        arguments=read_arguments(node),
        outputs=read_outputs(node),
        cache=read_cache(node),
    )


KIND = Kind(
    step=LambdaStep,
    read=_read,
    expressions=lambda step: (step.function_arn, step.arguments),
    offers=lambda step, path: is_declared(step.outputs, path),
)
