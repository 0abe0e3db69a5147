"""Predicates: the parts of a statement compiled into functions from a request to true or false.

ARNs and conditions are compiled elsewhere; here predicates are combined. Loops instead of `any` and `all`
take half the time, which matters on every call.
"""

from collections.abc import Callable, Sequence

from passrole.policy.scope import Scope

Predicate = Callable[[Scope], bool]


def any_of(predicates: Sequence[Predicate]) -> Predicate:
    """True if any predicate holds; false if there is none."""
    if len(predicates) == 1:
        return predicates[0]

    def any_holds(scope: Scope) -> bool:
        for predicate in predicates:  # noqa: SIM110
            if predicate(scope):
                return True
        return False

    return any_holds


def all_of(predicates: Sequence[Predicate]) -> Predicate:
    """True if all predicates hold, or if there is none."""
    if len(predicates) == 1:
        return predicates[0]

    def all_hold(scope: Scope) -> bool:
        for predicate in predicates:  # noqa: SIM110
            if not predicate(scope):
                return False
        return True

    return all_hold
