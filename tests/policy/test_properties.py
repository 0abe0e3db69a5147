"""What holds of every policy and every request, whatever they say."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.policy.strategies import (
    ACTIONS,
    PRINCIPALS,
    A,
    Raw,
    RawPolicy,
    RawSet,
    changed,
    compiled,
    policies,
    policy_set,
    requests,
    sets,
    statements,
)

from passrole.policy import Decision, PolicySet, Request, denial_message, evaluate, near_misses
from passrole.policy.denials import _EXPLICIT, _IMPLICIT
from passrole.policy.evaluate import Layer
from passrole.policy.near_misses import Distance, rank_near_misses, smallest_statement

A_FEW = st.integers(0, 3)


@given(sets(), requests(), statements(effect="Deny"), A_FEW, st.data())
def test_one_more_deny_never_allows_more(
    raw: RawSet, request: Request, deny: Raw, at: int, data: st.DataObject
) -> None:
    layer = data.draw(st.sampled_from(sorted(raw)))
    before = evaluate(request, policy_set(raw))
    more = changed(raw, layer, lambda policy: (*policy[:at], deny, *policy[at:]))
    after = evaluate(request, policy_set(more))
    assert before.allowed or not after.allowed
    assert after.explicit or not before.explicit


@given(sets(), requests(), statements(effect="Allow"), A_FEW, st.data())
def test_one_more_allow_never_denies_more(
    raw: RawSet, request: Request, allow: Raw, at: int, data: st.DataObject
) -> None:
    layer = data.draw(st.sampled_from(sorted(raw)))
    before = evaluate(request, policy_set(raw))
    more = changed(raw, layer, lambda policy: (*policy[:at], allow, *policy[at:]))
    after = evaluate(request, policy_set(more))
    assert after.allowed or not before.allowed
    assert after.explicit is before.explicit


@given(statements(effect="Allow"), requests(), st.sampled_from(("identity", "resource", "trust")))
def test_what_a_statement_would_allow_it_denies_as_a_deny(
    statement: Raw, request: Request, layer: Layer
) -> None:
    everything = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    allowed = evaluate(request, policy_set({"identity": (((everything,),),), layer: (((statement,),),)}))
    assume(allowed.verdicts.get(layer) == "allow" and request.principal.kind != "root")
    deny = ({**statement, "Effect": "Deny"}, everything)
    denied = evaluate(request, policy_set({"identity": (((everything,),),), layer: ((deny,),)}))
    assert denied.explicit


@given(
    st.lists(st.sampled_from(("sqs", "s3", "us-east-1", "us-*", A, "*", "", "q")), min_size=1, max_size=3),
    requests(),
    st.sampled_from(("Resource", "NotResource")),
)
def test_an_incomplete_arn_is_the_one_with_wildcards_for_what_it_lacks(
    segments: list[str], request: Request, element: str
) -> None:
    short = ["arn", "aws", *segments]
    full = [*short, *["*"] * (6 - len(short))]
    raws = [{"Effect": "Allow", "Action": "*", element: ":".join(each)} for each in (short, full)]
    one, two = (evaluate(request, identity(raw)).allowed for raw in raws)
    assert one is two


@given(sets(), requests(), st.randoms(use_true_random=False))
def test_the_order_of_statements_and_of_policies_never_matters(
    raw: RawSet, request: Request, chance: Any
) -> None:
    def shuffled(listed: Any) -> tuple[Any, ...]:
        return tuple(chance.sample(listed, len(listed)))

    other: RawSet = {
        layer: shuffled([shuffled([shuffled(policy) for policy in level]) for level in levels])
        for layer, levels in raw.items()
    }
    one, two = (evaluate(request, policy_set(each)) for each in (raw, other))
    assert (one.allowed, one.explicit, one.layer) == (two.allowed, two.explicit, two.layer)
    assert one.verdicts == two.verdicts


@given(sets(), requests())
def test_a_decision_agrees_with_the_verdicts_of_the_layers(raw: RawSet, request: Request) -> None:
    decision = evaluate(request, policy_set(raw))
    verdicts = decision.verdicts
    assert ("deny" in verdicts.values()) is decision.explicit
    if decision.decided_by is not None:
        assert decision.layer_results[decision.layer][1:] == decision.decided_by
    if decision.explicit:
        assert not decision.allowed
        assert verdicts[decision.layer] == "deny"
    elif decision.allowed:
        assert verdicts[decision.layer] == "allow"
        assert verdicts.get("scp", "allow") == "allow"
    elif not (decision.layer == "trust" and request.principal.kind == "root"):
        assert verdicts.get(decision.layer, "silent") == "silent"


@given(sets(), requests())
def test_the_statement_that_a_decision_names_decides_by_itself(raw: RawSet, request: Request) -> None:
    decision = evaluate(request, policy_set(raw))
    assert (decision.decided_by is None) is (decision.policy is None) is (decision.statement is None)
    assume(decision.decided_by is not None)
    assert decision.statement is not None
    alone = evaluate(request, policy_set(only(raw, decision)))
    assert (alone.allowed, alone.explicit, alone.layer) == (
        decision.allowed,
        decision.explicit,
        decision.layer,
    )
    assert alone.policy is not None


@given(sets(), requests())
def test_what_is_told_of_a_decision_agrees_with_it(raw: RawSet, request: Request) -> None:
    applied = policy_set(raw)
    decision = evaluate(request, applied)
    told = rank_near_misses(request, applied)
    if decision.allowed:
        assert told == []
        with pytest.raises(AssertionError):
            denial_message(request, decision)
        return
    causes = _EXPLICIT if decision.explicit else _IMPLICIT
    message = denial_message(request, decision)
    is_root = decision.layer == "trust" and request.principal.kind == "root" and not decision.explicit
    assert is_root or causes[decision.layer].partition("{")[0] in message
    if decision.explicit:
        assert [(miss.policy, miss.statement) for miss in told] == [(decision.policy, decision.statement)]
    assert all((miss.distance is Distance.DENIED) is decision.explicit for miss in told)


@given(statements(effect="Allow"), requests())
def test_what_a_near_miss_names_is_what_was_missing(statement: Raw, request: Request) -> None:
    request = replace(request, principal=PRINCIPALS[1], resource_account=PRINCIPALS[1].account)
    found = rank_near_misses(request, identity(statement))
    assume(found)
    distance = found[0].distance
    mended = {name: value for name, value in statement.items() if name != "Condition"}
    if distance > Distance.CONDITION:
        mended = {**without(mended, "Resource"), "Resource": "*"}
    if distance is Distance.ACTION:
        mended = {**without(mended, "Action"), "Action": request.action}
    assert evaluate(request, identity(mended)).allowed
    if distance is not Distance.CONDITION:
        # The condition is not what was named, so to leave out that alone does not help.
        assert not evaluate(request, identity(without(statement, "Condition"))).allowed


@given(requests())
def test_the_smallest_statement_is_enough_for_whoever_needs_one(request: Request) -> None:
    request = replace(request, principal=PRINCIPALS[0], resource_account=PRINCIPALS[0].account)
    assert near_misses(request, identity(smallest_statement(request))) == ()
    assert evaluate(request, identity(smallest_statement(request))).allowed


@given(sets(), requests())
def test_the_letter_case_of_an_action_never_matters(raw: RawSet, request: Request) -> None:
    applied = policy_set(raw)
    swapped = replace(request, action=request.action.swapcase())
    assert evaluate(swapped, applied)[:4] == evaluate(request, applied)[:4]


@given(policies())
def test_the_statements_found_for_an_action_are_those_that_cover_it(policy: RawPolicy) -> None:
    found = compiled(policy)
    for action in ACTIONS:
        relevant = found.statements_for(action)
        covering = [one for one in found.statements if one.covers_action(action.lower())]
        assert list(relevant.allows) == [one for one in covering if one.allows]
        assert list(relevant.denies) == [one for one in covering if not one.allows]


def identity(statement: Raw) -> PolicySet:
    return policy_set({"identity": (((statement,),),)})


def without(statement: Raw, element: str) -> dict[str, Any]:
    return {name: value for name, value in statement.items() if name not in (element, f"Not{element}")}


def only(raw: RawSet, decision: Decision) -> RawSet:
    """The same, but of the deciding layer only the statement that decided."""
    assert decision.policy is not None
    assert decision.statement is not None
    level, number = (int(part) for part in decision.policy.split("/")) if "/" in decision.policy else (0, 0)
    statement = raw[decision.layer][level][number][decision.statement]
    return {**raw, decision.layer: (((statement,),),)}
