"""One simulated request: what the evaluator decides about it, in the words of the policy simulator.

It reads no store. Decisions are `policy.evaluate`'s alone; what is added here is which statements spoke,
where they stand, and which condition keys had no value.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from passrole import arns
from passrole.policy import Decision, PolicySet, Principal, Request, evaluate
from passrole.policy.context_keys import distinct
from passrole.policy.document import Statement
from passrole.policy.evaluate import Verdict
from passrole.policy.request import Values
from passrole.policy.scope import Scope
from passrole.services.iam.policy_sources import Source

ANY_RESOURCE: Final = "*"
_DECISIONS: Final[Mapping[Verdict, str]] = {
    "allow": "allowed",
    "deny": "explicitDeny",
    "silent": "implicitDeny",
}
_SEVERITY: Final = ("explicitDeny", "implicitDeny", "allowed")


@dataclass(frozen=True)
class Simulation:
    """What all requests of one call have in common; `owner` is the account of ARNs that name none."""

    sources: Sequence[Source]
    resource: Source | None
    boundary: Source | None
    scps: Sequence[Sequence[Source]]
    caller: Principal
    has_caller: bool
    owner: str
    context: Mapping[str, Values]


def result(simulation: Simulation, action: str, resources: Sequence[str]) -> dict[str, Any]:
    """The EvaluationResult of an action: the strictest decision, and each resource's own below it.

    EvalResourceName is the resource where there is one and `*` where there are several.
    """
    singles = [_single(simulation, action, resource) for resource in resources]
    decisions = [single["EvalResourceDecision"] for single in singles]
    whole = {
        "EvalActionName": action,
        "EvalResourceName": resources[0] if len(resources) == 1 else ANY_RESOURCE,
        "EvalDecision": min(decisions, key=_SEVERITY.index),
    }
    whole["MatchedStatements"] = _union(
        single["MatchedStatements"]
        for single in singles
        if single["EvalResourceDecision"] == whole["EvalDecision"]
    )
    whole["MissingContextValues"] = distinct(
        [key for single in singles for key in single["MissingContextValues"]]
    )
    for detail in _DETAILS:
        found = [single[detail] for single in singles if detail in single]
        if found:
            whole[detail] = {name: min(each[name] for each in found) for name in found[0]}
    sides = [single["EvalDecisionDetails"] for single in singles if "EvalDecisionDetails" in single]
    if sides:
        whole["EvalDecisionDetails"] = _strictest(sides)
    if list(resources) != [ANY_RESOURCE]:
        # What the organisation says is told of the whole only.
        whole["ResourceSpecificResults"] = [_without(single, _DETAILS[0]) for single in singles]
    return whole


_DETAILS: Final = ("OrganizationsDecisionDetail", "PermissionsBoundaryDecisionDetail")


def _single(simulation: Simulation, action: str, resource: str) -> dict[str, Any]:
    parsed = arns.parse(resource)
    owner = parsed.account if parsed and parsed.account not in ("", "aws") else simulation.owner
    request = Request(simulation.caller, action, resource, owner, simulation.context)
    decision = evaluate(request, _policies(simulation))
    scope = Scope(request)
    answer: dict[str, Any] = {
        "EvalResourceName": resource,
        "EvalResourceDecision": _decided(decision),
        "MatchedStatements": [
            _matched(source, statement) for source, statement in _speaking(simulation, scope, decision)
        ],
        "MissingContextValues": distinct(list(_missing(simulation, scope))),
    }
    verdicts = decision.verdicts
    if "scp" in verdicts:
        answer[_DETAILS[0]] = {"AllowedByOrganizations": verdicts["scp"] == "allow"}
    if "boundary" in verdicts:
        answer[_DETAILS[1]] = {"AllowedByPermissionsBoundary": verdicts["boundary"] == "allow"}
    if resource != ANY_RESOURCE:
        is_foreign = owner != simulation.caller.account
        answer["EvalDecisionDetails"] = _sides(verdicts) if is_foreign else {}
    return answer


def _policies(simulation: Simulation) -> PolicySet:
    boundary, attached = simulation.boundary, simulation.resource
    trust = attached is not None and attached.kind == "trust"
    return PolicySet(
        identity=tuple((source.id, source.policy) for source in simulation.sources),
        boundary=(boundary.id, boundary.policy) if boundary else None,
        scps=tuple(tuple((scp.id, scp.policy) for scp in level) for level in simulation.scps),
        resource=attached.policy if attached and not trust else None,
        trust=attached.policy if attached and trust else None,
    )


def _decided(decision: Decision) -> str:
    return "allowed" if decision.allowed else "explicitDeny" if decision.explicit else "implicitDeny"


def _sides(verdicts: Mapping[Any, Verdict]) -> dict[str, str]:
    other = verdicts.get("trust", verdicts.get("resource", "silent"))
    return {
        "IAM Policy": _DECISIONS[verdicts.get("identity", "silent")],
        "Resource Policy": _DECISIONS[other],
    }


def _speaking(simulation: Simulation, scope: Scope, decision: Decision) -> Iterator[tuple[Source, Statement]]:
    """The statements of identity- and resource-based policies that the decision rests on."""
    if not (decision.allowed or decision.explicit):
        return
    for source in _all(simulation):
        relevant = source.policy.statements_for(scope.request.action)
        for statement in relevant.allows if decision.allowed else relevant.denies:
            named = source.kind == "identity" or statement.reach(scope.request.principal)
            if named and statement.applies(scope):
                yield source, statement


def _missing(simulation: Simulation, scope: Scope) -> Iterator[str]:
    """Keys that statements about the action ask for and that neither the call nor the caller gives."""
    given = {key.lower() for key in simulation.context}
    for source in _all(simulation):
        relevant = source.policy.statements_for(scope.request.action)
        for statement in (*relevant.denies, *relevant.allows):
            for key in source.keys[statement.index]:
                implied = simulation.has_caller and scope.value(key.lower()) is not None
                if key.lower() not in given and not implied:
                    yield key


def _all(simulation: Simulation) -> list[Source]:
    return [*simulation.sources, *([simulation.resource] if simulation.resource else [])]


def _matched(source: Source, statement: Statement) -> dict[str, Any]:
    start, end = source.spans[statement.index]
    return {
        "SourcePolicyId": source.id,
        "SourcePolicyType": source.type_,
        "StartPosition": {"Line": start.line, "Column": start.column},
        "EndPosition": {"Line": end.line, "Column": end.column},
    }


def _union(lists: Iterator[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    union: list[dict[str, Any]] = []
    for matched in lists:
        union.extend(one for one in matched if one not in union)
    return union


def _strictest(details: Sequence[Mapping[str, str]]) -> dict[str, str]:
    names = {name for detail in details for name in detail}
    return {
        name: min((detail[name] for detail in details if name in detail), key=_SEVERITY.index)
        for name in sorted(names)
    }


def _without(single: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in single.items() if key != name}
