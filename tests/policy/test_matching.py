"""Wildcards and ARNs, against an oracle too plain to be wrong, and against hostile patterns."""

import sys
from collections.abc import Callable
from functools import cache, partial
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passrole.policy import Principal, Request
from passrole.policy.matching import action_matcher, arn_matcher, glob, resource_predicate
from passrole.policy.scope import Scope, split_arn
from passrole.policy.variables import Wild

TOKENS = {"*": Wild.STAR, "?": Wild.ONE}
USER = Principal("user", "arn:aws:iam::1:user/ann", "1", "AIDAX", "ann")
NOBODY = Scope(Request(USER, "sqs:SendMessage", "*", "1"))


@cache
def oracle(pattern: str, text: str) -> bool:
    """By the definition: `*` is nothing, or one letter and then `*` again."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return oracle(pattern[1:], text) or (bool(text) and oracle(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and oracle(pattern[1:], text[1:])


def arn_oracle(pattern: str, text: str) -> bool:
    """Segment by segment; a star that ends a short pattern takes the rest."""
    wanted = pattern.split(":", 5)
    rest_wanted = len(wanted) < 6 and pattern.endswith("*")
    actual = text.split(":", len(wanted) - 1 if rest_wanted else 5)
    return len(wanted) == len(actual) and all(map(oracle, wanted, actual))


def tokens(pattern: str) -> tuple[str | Wild, ...]:
    return tuple(TOKENS.get(letter, letter) for letter in pattern)


def fits(pattern: str, arn: str, scope: Scope = NOBODY) -> bool | None:
    return arn_matcher(pattern, variables=True)(split_arn(arn), scope)


@settings(max_examples=400)
@given(st.text("ab*?", max_size=8), st.text("ab\n", max_size=9))
def test_a_glob_matches_what_its_definition_says(pattern: str, text: str) -> None:
    assert glob(tokens(pattern))(text) is oracle(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("ab*ba", "aba"), ("ab*ba", "abba"), ("*ab*ba*", "aba"), ("*ab*ba*", "abba"), ("a*ab", "aab"),
        ("*a?b*b", "aabb"), ("*a?b*b", "aab"), ("*?*?*", "a"), ("*?*?*", "ab"), ("*a*b*", "xbxa"),
    ],
)  # fmt: skip
def test_the_chunks_of_a_glob_do_not_overlap(pattern: str, text: str) -> None:
    assert glob(tokens(pattern))(text) is oracle(pattern, text)


@settings(max_examples=400)
@given(st.text("a:*?", max_size=11), st.text("a:b", max_size=11))
def test_an_arn_pattern_matches_segment_by_segment(pattern: str, text: str) -> None:
    assert fits(pattern, text) is arn_oracle(pattern, text)


NAMES = st.text("ab*?", max_size=4)
PLACES = st.sampled_from(["a:b:c:d:e:", "a:b:*:d:e:", "a:b:c:*:?:", "a:b:c:", ""])
BEGINNINGS = st.sampled_from(["", "b:", "ab/"])


@settings(max_examples=400)
@given(
    st.lists(st.builds("{}{}{}".format, PLACES, BEGINNINGS, NAMES), max_size=4),
    st.builds("{}{}{}".format, PLACES, BEGINNINGS, st.text("ab", max_size=4)),
)
def test_a_resource_fits_a_list_where_it_fits_one_of_its_patterns(patterns: list[str], resource: str) -> None:
    scope = Scope(Request(USER, "sqs:SendMessage", resource, "1"))
    fits_one = any(arn_oracle(pattern, resource) for pattern in patterns)
    assert resource_predicate(patterns, variables=True)(scope) is fits_one


@given(st.text(min_size=1, max_size=6), st.text(max_size=6))
def test_the_value_of_a_variable_never_acts_as_a_pattern(name: str, other: str) -> None:
    user = Principal("user", "arn:aws:iam::1:user/x", "1", "AIDAX", name)
    scope = Scope(Request(user, "sqs:SendMessage", "*", "1"))
    pattern = "arn:aws:sqs:::${aws:username}"
    assert fits(pattern, f"arn:aws:sqs:::{name}", scope) is True
    assert fits(pattern, f"arn:aws:sqs:::{other}", scope) is (other == name)


ARNS = [
    # pattern                                  ARN                                                 fits
    ("arn:aws:sqs:*",                          "arn:aws:sqs:us-east-1:1:x",                        True),
    ("arn:aws:sqs:us-*",                       "arn:aws:sqs:us-east-1:1:x",                        True),
    ("arn:aws:sqs:us-*-1:x",                   "arn:aws:sqs:us-east-1:1:x",                        False),
    ("arn:aws:sqs:us-east-1:1",                "arn:aws:sqs:us-east-1:1:x",                        False),
    ("arn:aws:lambda:*:*:function:*",          "arn:aws:lambda:us-east-1:1:function:f:7",          True),
    ("arn:aws:lambda:*:*:function:?",          "arn:aws:lambda:us-east-1:1:function:f:7",          False),
    ("arn:aws:lambda:*:function:f",            "arn:aws:lambda:us-east-1:1:function:f",            False),
    ("arn:aws:s3:::b",                         "arn:aws:s3:::b",                                   True),
    ("arn:aws:s3:::b",                         "arn:aws:s3:us-east-1::b",                          False),
    ("arn:aws:elasticmapreduce:*:*:cluster/*", "arn:aws:elasticmapreduce:us-east-1:1:cluster/*",   True),
    ("*",                                      "arn:aws:s3:::b",                                   True),
    ("*",                                      "*",                                                True),
    ("arn:aws:s3:::b",                         "*",                                                False),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "arn", "expected"), ARNS)
def test_an_arn_pattern_keeps_its_stars_in_their_segments(pattern: str, arn: str, expected: bool) -> None:
    assert fits(pattern, arn) is expected


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("arn:aws:sqs:::${aws:username}-q", "arn:aws:sqs:::ann-q", True),
        ("arn:aws:sqs:::${aws:PrincipalTag/team}-q", "arn:aws:sqs:::-q", None),
        ("arn:aws:sqs:::${aws:PrincipalTag/team, 'all'}-*", "arn:aws:sqs:::all-q", True),
        ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/x", False),
        ("arn:aws:s3:::b/${*}", "arn:aws:s3:::b/*", True),
        ("arn:aws:s3:::b/${$}{x}", "arn:aws:s3:::b/${x}", True),
        ("arn:aws:s3:::b/${open", "arn:aws:s3:::b/${open", True),
    ],
)
def test_variables_in_an_arn_pattern_are_filled_or_unknown(
    pattern: str, arn: str, expected: bool | None
) -> None:
    assert fits(pattern, arn) is expected


def test_an_action_pattern_takes_any_letter_case_and_no_variables() -> None:
    assert action_matcher("SQS:Send*")("sqs:sendmessage")
    assert not action_matcher("sqs:Send*")("sqs:receivemessage")
    assert action_matcher("sqs:${aws:username}")("sqs:${aws:username}")


HOSTILE: dict[str, Callable[[int], str]] = {
    "many stars": lambda groups: "*a" * groups + "*b",
    "stars and marks": lambda groups: "*a?" * groups + "*b",
    "marks in a row": lambda groups: "*" + "?a" * groups + "b",
    "stars in a row": lambda groups: "*" * groups + "b",
}


@pytest.mark.parametrize("shape", HOSTILE)
def test_a_hostile_pattern_costs_twice_as_much_on_twice_the_text(shape: str) -> None:
    compiled = glob(tokens(HOSTILE[shape](12)))
    once, twice = (steps(partial(compiled, "a" * size)) for size in (200, 400))
    assert twice <= 2.2 * once + 50


def walked(pattern: str, text: str) -> bool:
    """All ways at once, letter by letter: a bit for every place of the pattern that may be next."""
    stars = sum(1 << at for at, letter in enumerate(pattern) if letter == "*")
    taking = {
        one: sum(1 << at for at, letter in enumerate(pattern) if letter in (one, "?")) for one in set(text)
    }

    def past_stars(places: int) -> int:
        while (further := places | (places & stars) << 1) != places:
            places = further
        return places

    places = past_stars(1)
    for letter in text:
        places = past_stars((places & taking[letter]) << 1 | (places & stars))
    return bool(places >> len(pattern) & 1)


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=9))
def test_the_oracle_for_long_patterns_is_right_about_short_ones(pattern: str, text: str) -> None:
    assert walked(pattern, text) is oracle(pattern, text)


@settings(max_examples=50, deadline=None)
@given(
    st.text("*?", max_size=200) | st.text("*?ab", max_size=200),
    st.text("ab", min_size=1, max_size=6),
    st.text("ab", max_size=3),
)
def test_up_to_200_stars_and_marks_decide_about_10_000_letters(pattern: str, unit: str, end: str) -> None:
    text = unit * (10_000 // len(unit)) + end
    assert glob(tokens(pattern))(text) is walked(pattern, text)


@pytest.mark.parametrize("unit", ["*", "?", "*?", "*a", "?a", "*a?", "?*b"])
def test_the_work_for_200_stars_and_marks_is_bounded_by_text_times_pattern(unit: str) -> None:
    pattern, text = unit * (199 // len(unit)) + "b", "a" * 1_000
    assert steps(partial(glob(tokens(pattern)), text)) <= len(text) * len(pattern) * 2


Trace = Callable[[FrameType, str, object], Any]


@pytest.mark.parametrize("unit", ["*a?", "${", "${*}", "${k}", ":*"])
def test_a_pattern_of_the_largest_document_compiles_in_no_time_that_one_would_notice(unit: str) -> None:
    # 131,072 letters are IAM's limit; were reading quadratic, this would take half a minute.
    assert not fits("arn:aws:sqs:::" + unit * (131_072 // len(unit)) + "b", "arn:aws:sqs:::" + "a" * 2_048)


def steps(run: Callable[[], object]) -> int:
    """How many lines of Python `run` executes: the same on any machine."""
    count = 0

    def trace(_frame: FrameType, _event: str, _argument: object) -> Trace:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count
