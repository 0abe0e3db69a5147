"""Lineage steps.

AWS documents the SDK's class and the step's metadata.
https://github.com/aws/sagemaker-python-sdk
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from passrole.definition import problems as problem
from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.properties import Properties
from passrole.definition.step_members import read_creation
from passrole.definition.steps import CreationStep, Step

KINDS: Final = {"Actions": "Action", "Artifacts": "Artifact", "Contexts": "Context"}
ENTITIES_MAX, ASSOCIATIONS_MAX = 5, 10
"""Of each kind, as many as the step's metadata hold."""

_LIMITS = {**dict.fromkeys(KINDS, ENTITIES_MAX), "Associations": ASSOCIATIONS_MAX}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageStep(CreationStep):
    """Records entities of lineage, then what joins them; `arguments` has lists of the Create requests."""

    type_: ClassVar[str] = "Lineage"


def _read(node: Node) -> Iterator[Step]:
    yield LineageStep(**read_creation(node))
    inner = node.object("Arguments", required=False)
    if inner is None:
        return
    found = len(node.found)
    lists = {name: inner.objects(name, required=False) for name in _LIMITS}
    inner.close()
    if not any(lists.values()) and len(node.found) == found:
        node.found.append(problem.too_few(inner.where, "Actions, Artifacts, Contexts or Associations", 1))
    for name, limit in _LIMITS.items():
        if len(lists[name]) > limit:
            node.found.append(problem.too_many(inner.path(name), name, limit))


PROPERTIES = Properties(members=("ActionArns", "ArtifactArns", "ContextArns", "Associations"))
"""The step's metadata: ARNs by the names of what was created."""

KIND = Kind(
    step=LineageStep,
    read=_read,
    expressions=lambda step: (step.arguments,),
    offers=lambda _step, path: PROPERTIES.has(path),
    properties=PROPERTIES,
)
