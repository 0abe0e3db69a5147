"""Questions: what a statement asks of one request, compiled into functions that answer yes or no.

It knows neither ARNs nor conditions; those compile themselves into questions, which are joined here. A loop
stands where `any` and `all` would read better, because it takes half the time and these are asked on every
call.
"""

from collections.abc import Callable, Sequence

from passrole.policy.scope import Scope

Question = Callable[[Scope], bool]


def any_of(questions: Sequence[Question]) -> Question:
    """Yes where one of them says so; no where there is none."""
    if len(questions) == 1:
        return questions[0]

    def one_says_yes(scope: Scope) -> bool:
        for question in questions:  # noqa: SIM110
            if question(scope):
                return True
        return False

    return one_says_yes


def all_of(questions: Sequence[Question]) -> Question:
    """Yes where none of them says no; so, too, where there is none."""
    if len(questions) == 1:
        return questions[0]

    def none_says_no(scope: Scope) -> bool:
        for question in questions:  # noqa: SIM110
            if not question(scope):
                return False
        return True

    return none_says_no
