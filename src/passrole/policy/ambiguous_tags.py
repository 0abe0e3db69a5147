"""Decides a request whose tag keys differ only in letter case, so that no choice between them avoids a Deny.

Condition keys ignore letter case, but the tags of many services do not: `prot` and `PROT` of one queue are
two values of `aws:ResourceTag/prot`. AWS documents that a policy sees one of them, but not which. So the
request is evaluated with each: a Deny counts if it applies to any, an Allow must apply to all.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html#access_tags_control-tag-keys

It knows no service. For a request without such keys `evaluate` gives the same result.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice, product
from typing import Final

from passrole.policy.evaluate import Decision, PolicySet, evaluate
from passrole.policy.request import Request, Values

COMBINATIONS_MAX: Final = 64


def decide(request: Request, policies: PolicySet) -> Decision:
    """The decision for all choices of the ambiguous keys: the first denial (explicit ones first), or an
    Allow.

    More than COMBINATIONS_MAX combinations of the keys that the policies use are denied, as if no policy
    allowed.
    """
    spelled = _spellings(request.context)
    ways = list(islice(_ways(request.context, spelled, policies), COMBINATIONS_MAX + 1))
    if len(ways) > COMBINATIONS_MAX:
        return Decision(False, False, "identity", None, request, policies)
    decisions = [evaluate(replace(request, context=way), policies) for way in ways]
    refused = [decision for decision in decisions if not decision.allowed]
    return next((decision for decision in refused if decision.explicit), (refused or decisions)[0])


def _ways(
    context: Mapping[str, Values], spelled: Mapping[str, list[str]], policies: PolicySet
) -> Iterator[Mapping[str, Values]]:
    """Every combination of one spelling of each key; only the first spelling of a key that no policy uses."""
    used = list(_texts(policies))
    choices = [
        spellings if len(spellings) > 1 and any(key in text for text in used) else spellings[:1]
        for key, spellings in spelled.items()
    ]
    for chosen in product(*choices):
        yield {key: context[key] for key in chosen}


def _spellings(context: Mapping[str, Values]) -> dict[str, list[str]]:
    spelled: dict[str, list[str]] = {}
    for key in context:
        spelled.setdefault(key.lower(), []).append(key)
    return spelled


def _texts(policies: PolicySet) -> Iterator[str]:
    """Texts that may name a condition key, in lower case: the keys of conditions, and variables anywhere."""
    for _, (_, policy) in policies.in_order():
        for statement in policy.statements:
            for condition in statement.conditions:
                yield condition.lookup_key
                yield from (value.lower() for value in condition.values)
            yield from (text.lower() for text in (statement.resources.texts if statement.resources else ()))
