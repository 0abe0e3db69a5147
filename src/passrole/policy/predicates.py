"""Questions: what a statement asks of one request, compiled into functions that answer yes or no.

It knows neither ARNs nor conditions; those compile themselves into predicates, which are joined here. A loop
stands where `any` and `all` would read better, because it takes half the time and these are asked on every
call.
"""

from collections.abc import Callable, Sequence

from passrole.policy.scope import Scope

Predicate = Callable[[Scope], bool]


def any_of(predicates: Sequence[Predicate]) -> Predicate:
    """Yes where one of them says so; no where there is none."""
    if len(predicates) == 1:
        return predicates[0]

    def any_holds(scope: Scope) -> bool:
        for predicate in predicates:  # noqa: SIM110
            if predicate(scope):
                return True
        return False

    return any_holds


def all_of(predicates: Sequence[Predicate]) -> Predicate:
    """Yes where none of them says no; so, too, where there is none."""
    if len(predicates) == 1:
        return predicates[0]

    def all_hold(scope: Scope) -> bool:
        for predicate in predicates:  # noqa: SIM110
            if not predicate(scope):
                return False
        return True

    return all_hold
