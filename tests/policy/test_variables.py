"""Policy text as tokens."""

import pytest

from passrole.policy.variables import Template, Variable, Wild, read

READINGS: list[tuple[str, Template]] = [
    ("", ()),
    ("plain", ("plain",)),
    ("a*b?", ("a", Wild.STAR, "b", Wild.ONE)),
    ("${aws:UserName}-q", (Variable("aws:username", None), "-q")),
    ("${aws:PrincipalTag/team, 'shared, all'}", (Variable("aws:principaltag/team", "shared, all"),)),
    ("${k, unquoted}", (Variable("k", None),)),
    ("a${*}b${?}c${$}", ("a*b?c$",)),
    ("${never closed *", ("${never closed ", Wild.STAR)),
    ("$ {x}", ("$ {x}",)),
]


@pytest.mark.parametrize(("text", "expected"), READINGS)
def test_text_is_read_into_letters_wildcards_and_variables(text: str, expected: Template) -> None:
    assert read(text, variables=True) == expected


def test_older_documents_have_no_variables_but_their_wildcards() -> None:
    assert read("${*}", variables=False) == ("${", Wild.STAR, "}")


def test_operators_without_wildcards_take_them_as_letters() -> None:
    assert read("a*${aws:userid}", variables=True, wildcards=False) == ("a*", Variable("aws:userid", None))
