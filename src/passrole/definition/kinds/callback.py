"""Callback steps."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from passrole.definition import problems as problem
from passrole.definition.expressions import Constant, Expression
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

_QUEUE_URL_MAX = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackStep(Step):
    """Sends a message with a token to a queue and waits for an answer with the token."""

    type_: ClassVar[str] = "Callback"

    queue_url: Expression
    arguments: Expression
    outputs: tuple[OutputParameter, ...] = ()
    cache: CacheConfig | None = None


def _read(node: Node) -> Iterator[Step]:
    refuse_retries(node)
    yield CallbackStep(
        queue_url=_queue_url(node),
        **read_shared(node),
        arguments=read_arguments(node),
        outputs=read_outputs(node),
        cache=read_cache(node),
    )


def _queue_url(node: Node) -> Expression:
    queue_url = node.text_expression("SqsQueueUrl")
    literal = queue_url.value if isinstance(queue_url, Constant) else None
    if isinstance(literal, str) and len(literal) > _QUEUE_URL_MAX:
        node.found.append(
            problem.too_many_characters(node.path("SqsQueueUrl"), "SqsQueueUrl", _QUEUE_URL_MAX)
        )
    return queue_url


KIND = Kind(
    step=CallbackStep,
    read=_read,
    expressions=lambda step: (step.queue_url, step.arguments),
    offers=lambda step, path: is_declared(step.outputs, path),
)
