"""Tags whose keys are one key in every letter case."""

import pytest

from passrole.policy.tags import is_reserved, merged, repeats, without


def test_new_tags_take_the_place_of_the_same_keys_in_any_letter_case() -> None:
    assert merged({"team": "a", "site": "b"}, {"Team": "c"}) == {"site": "b", "Team": "c"}
    assert merged({"team": "a"}, {}) == {"team": "a"}


def test_tags_are_removed_in_any_letter_case() -> None:
    assert without({"Team": "a", "site": "b"}, ["TEAM", "other"]) == {"site": "b"}


@pytest.mark.parametrize(
    "keys, expected", [(["a", "b"], False), (["a", "A"], True), (["a", "a"], True), ([], False)]
)
def test_keys_repeat_where_they_differ_in_letter_case_at_most(keys: list[str], expected: bool) -> None:
    assert repeats(keys) is expected


@pytest.mark.parametrize(
    "key, expected", [("aws:a", True), ("AWS:a", True), ("awsa", False), ("a:aws:", False)]
)
def test_what_begins_with_aws_and_a_colon_is_aws_own(key: str, expected: bool) -> None:
    assert is_reserved(["x", key]) is expected
