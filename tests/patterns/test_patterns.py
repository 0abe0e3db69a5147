"""The pattern language: the tables of cases.py, properties, and what hostile texts and events can do."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.patterns.cases import EVENT, OF_DETAIL, OF_EVENTS, REFUSED

from passrole.patterns import InvalidPattern, Pattern, Rules, compile_pattern
from passrole.patterns.wildcard import compile_wildcard


def pattern(document: Any) -> Pattern:
    return compile_pattern(json.dumps(document))


@pytest.mark.parametrize(("wanted", "expected"), OF_DETAIL, ids=lambda value: str(value)[:60])
def test_what_is_wanted_of_the_detail(wanted: dict[str, Any], expected: bool) -> None:
    assert pattern({"detail": wanted}).matches(EVENT) is expected


@pytest.mark.parametrize(("wanted", "expected"), OF_EVENTS, ids=lambda value: str(value)[:60])
def test_what_is_wanted_of_an_event(wanted: dict[str, Any], expected: bool) -> None:
    assert pattern(wanted).matches(EVENT) is expected


@pytest.mark.parametrize(("text", "reason"), REFUSED, ids=lambda value: value[:50])
def test_what_is_refused_and_why(text: str, reason: str) -> None:
    with pytest.raises(InvalidPattern) as refused:
        compile_pattern(text)
    assert refused.value.reason == reason


def test_the_table_is_as_long_as_it_was_promised() -> None:
    assert len(OF_DETAIL) + len(OF_EVENTS) + len(REFUSED) >= 150


def test_a_thousand_combinations_are_the_most() -> None:
    def choices(count: int) -> list[Any]:
        return [{"a": {"$or": [{f"f{n}": [n]} for n in range(10)]}} for _ in range(count)]

    def layered(depth: int) -> Any:
        inner: Any = {"end": ["x"]}
        for level in range(depth):
            inner = {f"l{level}": {"$or": [{f"c{n}": [n]} for n in range(10)]}, **inner}
        return inner

    assert len(pattern(layered(3)).branches) == 1_000
    with pytest.raises(InvalidPattern, match="more than 1000 combinations"):
        pattern({**layered(3), "more": {"$or": [{"x": [1]}, {"y": [1]}]}})
    assert choices(1)


SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text("ab*.", max_size=4)
NAMES = st.sampled_from(["a", "b", "source", "detail-type", "a.b"])
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)
EVENTS = st.dictionaries(NAMES, JSON, max_size=4)
MATCHERS = SCALARS | st.one_of(
    st.builds(lambda text: {"prefix": text}, st.text("ab", max_size=2)),
    st.builds(lambda text: {"suffix": text}, st.text("ab", max_size=2)),
    st.builds(lambda text: {"anything-but": text}, st.text("ab", max_size=2)),
    st.builds(lambda there: {"exists": there}, st.booleans()),
    st.builds(lambda bound: {"numeric": [">", bound]}, st.integers(-9, 9)),
)
WANTED = st.lists(MATCHERS, min_size=1, max_size=3)
PATTERNS = st.dictionaries(
    NAMES, WANTED | st.dictionaries(NAMES, WANTED, min_size=1, max_size=2), min_size=1, max_size=3
)


@given(st.text())
def test_any_text_is_a_pattern_or_refused(text: str) -> None:
    try:
        compile_pattern(text)
    except InvalidPattern as refused:
        assert refused.reason


@given(JSON, EVENTS)
def test_any_json_is_a_pattern_or_refused_and_any_event_is_answered(document: Any, event: Any) -> None:
    try:
        compiled = pattern(document)
    except InvalidPattern:
        return
    assert compiled.matches(event) in (True, False)


@given(PATTERNS, MATCHERS, EVENTS)
def test_one_more_alternative_never_takes_a_match_away(document: Any, more: Any, event: Any) -> None:
    before = pattern(document).matches(event)
    wider = {name: [*value, more] if isinstance(value, list) else value for name, value in document.items()}
    assert pattern(wider).matches(event) or not before


@given(PATTERNS, PATTERNS, EVENTS)
def test_or_is_what_either_wants(one: Any, other: Any, event: Any) -> None:
    either = pattern({"$or": [one, other]}).matches(event)
    assert either == (pattern(one).matches(event) or pattern(other).matches(event))


@given(st.lists(PATTERNS, max_size=6), EVENTS, st.integers(0, 5))
def test_rules_find_what_asking_every_pattern_finds(documents: list[Any], event: Any, gone: int) -> None:
    rules: Rules[int] = Rules()
    patterns = dict(enumerate(map(pattern, documents)))
    for key, each in patterns.items():
        rules.put(key, each)
        rules.put(key, each)
    rules.remove(gone)
    patterns.pop(gone, None)
    assert sorted(rules.matching(event)) == [key for key, each in patterns.items() if each.matches(event)]


@given(st.text("ab*", max_size=8).filter(lambda text: "**" not in text), st.text("ab", max_size=10))
def test_wildcards_agree_with_the_textbook(wildcard: str, text: str) -> None:
    assert compile_wildcard(wildcard)(text) is textbook(wildcard, text)


def textbook(wildcard: str, text: str) -> bool:
    """Dynamic programming: which beginnings of the wildcard fit which beginnings of the text."""
    fits = [[False] * (len(text) + 1) for _ in range(len(wildcard) + 1)]
    fits[0][0] = True
    for i, letter in enumerate(wildcard, start=1):
        for j in range(len(text) + 1):
            if letter == "*":
                fits[i][j] = fits[i - 1][j] or (j > 0 and fits[i][j - 1])
            else:
                fits[i][j] = j > 0 and fits[i - 1][j - 1] and letter == text[j - 1]
    return fits[-1][-1]


def test_hostile_events_are_only_events() -> None:
    deep: Any = "here"
    for _ in range(10_000):
        deep = {"a": deep}
    long: Any = ["x"]
    for _ in range(10_000):
        long = [long]
    wanted = pattern({"a": ["x"], "b": [{"exists": False}]})
    assert not wanted.matches(deep)
    assert wanted.matches({"a": long})
    assert wanted.matches({"a": [*range(10_000), "x"], "c": deep})


def test_many_stars_against_a_long_text_are_one_walk_along_it() -> None:
    fits = compile_wildcard("*".join(["a"] * 200) + "*b")
    assert not fits("a" * 10_000)
    assert fits("a" * 10_000 + "b")


def test_a_rule_that_is_put_again_takes_the_place_of_the_old_one() -> None:
    rules: Rules[str] = Rules()
    rules.put("r", pattern({"source": ["a"]}))
    rules.put("r", pattern({"source": ["b"], "detail-type": ["t", "u"]}))
    assert rules.matching({"source": "a"}) == []
    assert rules.matching({"source": "b", "detail-type": "u"}) == ["r"]
    assert rules.matching({"source": ["x", "b"], "detail-type": ["u", "t"]}) == ["r"]
    rules.remove("r")
    assert rules.matching({"source": "b", "detail-type": "u"}) == []
