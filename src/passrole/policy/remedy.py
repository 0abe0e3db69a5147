"""The statements to add so that a denied request is allowed, and to which layer.

Each addition is tested with the evaluator until the request is allowed. Nothing helps against an explicit
Deny.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from passrole.policy.document import CompiledPolicy, compile_document, policy_of
from passrole.policy.evaluate import Layer, NamedPolicy, PolicySet, evaluate
from passrole.policy.near_misses import smallest_statement
from passrole.policy.request import Request

_ADDED: Final = "added"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A statement, and the layer to which it has to be added."""

    layer: Layer
    statement: Mapping[str, object]


def remedies(request: Request, policies: PolicySet) -> list[Remedy]:
    """All additions that are needed together; none if the request is allowed, or if nothing helps."""
    found: list[Remedy] = []
    while not (decision := evaluate(request, policies)).allowed:
        if decision.explicit or any(remedy.layer == decision.layer for remedy in found):
            return []
        statement = statement_for(request, decision.layer)
        found.append(Remedy(decision.layer, statement))
        policies = _WITH[decision.layer](policies, _compiled(statement, decision.layer))
    return found


def statement_for(request: Request, layer: Layer) -> dict[str, object]:
    """The smallest statement that allows exactly this request in a layer."""
    statement = smallest_statement(request)
    if layer in ("resource", "trust"):
        principal = request.principal
        named = (
            {"Service": principal.name}
            if principal.kind == "service"
            else {"AWS": principal.role_arn or principal.arn}
        )
        statement = {"Effect": "Allow", "Principal": named, **statement}
    if layer == "trust":
        del statement["Resource"]
    return statement


def _compiled(statement: Mapping[str, object], layer: Layer) -> CompiledPolicy:
    document = {"Version": "2012-10-17", "Statement": [statement]}
    if layer == "trust":
        return compile_document(document, "trust")
    return compile_document(document, "resource" if layer == "resource" else "identity")


def _joined(policy: CompiledPolicy | None, more: CompiledPolicy) -> CompiledPolicy:
    return policy_of([*(policy.statements if policy else ()), *more.statements])


def _bounded(policies: PolicySet, more: CompiledPolicy) -> PolicySet:
    name, boundary = policies.boundary or (_ADDED, None)
    return replace(policies, boundary=(name, _joined(boundary, more)))


def _named(more: CompiledPolicy) -> NamedPolicy:
    return _ADDED, more


_WITH: Final[Mapping[Layer, Callable[[PolicySet, CompiledPolicy], PolicySet]]] = {
    "identity": lambda policies, more: replace(policies, identity=(*policies.identity, _named(more))),
    "resource": lambda policies, more: replace(policies, resource=_joined(policies.resource, more)),
    "boundary": _bounded,
    "session": lambda policies, more: replace(policies, session=(*policies.session, _named(more))),
    "scp": lambda policies, more: replace(
        policies, scps=tuple((*level, _named(more)) for level in policies.scps)
    ),
    "trust": lambda policies, more: replace(policies, trust=_joined(policies.trust, more)),
}
