"""Pages: what comes back as a NextToken is checked, and pages add up to the whole."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.faults import Fault
from passrole.services.sagemaker.requests import page_of, place_of, token_behind


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_a_token_gives_back_its_place(name: str, at: float) -> None:
    assert place_of(token_behind(at, name), float, str) == (at, name)


@given(st.text())
def test_no_text_breaks_the_reading_of_a_token(text: str) -> None:
    try:
        place = place_of(text, str)
    except Fault as fault:
        assert fault.code == "ValidationException"
    else:
        assert place is not None
        assert isinstance(place[0], str)


@pytest.mark.parametrize("place", [(), (1,), ("a", "b"), (None,)])
def test_a_token_of_another_list_is_refused(place: tuple[Any, ...]) -> None:
    with pytest.raises(Fault, match="ValidationException"):
        place_of(token_behind(*place), str)


@given(st.integers(0, 9), st.integers(1, 4))
def test_pages_add_up_to_the_whole(count: int, limit: int) -> None:
    items = [{"Name": f"n{number}"} for number in range(count)]
    seen: list[dict[str, str]] = []
    token = None
    while True:
        page = page_of("Items", items, "Name", token, limit)
        assert len(page["Items"]) <= limit
        seen += page["Items"]
        token = page.get("NextToken")
        if token is None:
            break
    assert seen == items


def test_a_page_behind_what_is_gone_is_refused_rather_than_empty() -> None:
    items = [{"Name": "a"}, {"Name": "b"}]
    token = page_of("Items", items, "Name", None, 1)["NextToken"]
    with pytest.raises(Fault, match="ValidationException"):
        page_of("Items", items[1:], "Name", token, 1)
