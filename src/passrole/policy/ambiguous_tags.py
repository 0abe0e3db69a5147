"""A request whose tags may be read in several ways, decided so that no way of reading them lifts a Deny.

Condition keys have no letter case and the tags of many services have, so `prot` and `PROT` of one queue are
two values of `aws:ResourceTag/prot`. AWS's guide says that a policy then sees one of them and not which. So
the request is decided under each: a Deny counts that holds under any, an Allow must hold under all.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html#access_tags_control-tag-keys

It knows no service. For a request without such keys, which nearly all are, `evaluate` says the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice, product
from typing import Final

from passrole.policy.evaluate import Decision, PolicySet, evaluate
from passrole.policy.request import Request, Values

READINGS_MAX: Final = 64


def decide(request: Request, policies: PolicySet) -> Decision:
    """The decision under every reading: of those that refuse the first, an explicit Deny before others.

    More than READINGS_MAX ways of reading what the policies ask for are refused as if no policy allowed.
    """
    spelled = _spellings(request.context)
    ways = list(islice(_ways(request.context, spelled, policies), READINGS_MAX + 1))
    if len(ways) > READINGS_MAX:
        return Decision(False, False, "identity", None, request, policies)
    decisions = [evaluate(replace(request, context=way), policies) for way in ways]
    refused = [decision for decision in decisions if not decision.allowed]
    return next((decision for decision in refused if decision.explicit), (refused or decisions)[0])


def _ways(
    context: Mapping[str, Values], spelled: Mapping[str, list[str]], policies: PolicySet
) -> Iterator[Mapping[str, Values]]:
    """One spelling of each key, in every way to choose; of a key that no policy asks for, the first."""
    asked = list(_texts(policies))
    choices = [
        spellings if len(spellings) > 1 and any(key in text for text in asked) else spellings[:1]
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
    """What may name a condition key, in lower case: the keys of conditions, and variables anywhere."""
    for _, (_, policy) in policies.in_order():
        for statement in policy.statements:
            for condition in statement.conditions:
                yield condition.lookup_key
                yield from (value.lower() for value in condition.values)
            yield from (text.lower() for text in (statement.resources.texts if statement.resources else ()))
