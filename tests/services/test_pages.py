"""Pages: a cursor that comes back is checked, and pages add up to the whole."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.faults import Fault
from passrole.services.pages import Pages, to_cursor, wanted_rows

PAGES = Pages("NextToken", lambda token: Fault("ValidationException", f"{token} is none."))


@given(st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_a_cursor_gives_back_its_position(name: str, at: float) -> None:
    assert PAGES.position(to_cursor((at, name)), float, str) == (at, name)


@given(st.text())
def test_no_text_breaks_the_reading_of_a_cursor(text: str) -> None:
    try:
        position = PAGES.position(text, str)
    except Fault as fault:
        assert fault.code == "ValidationException"
    else:
        assert position is not None
        assert isinstance(position[0], str)


@pytest.mark.parametrize("position", [(), (1,), ("a", "b"), (None,)])
def test_a_cursor_of_another_list_is_refused(position: tuple[Any, ...]) -> None:
    with pytest.raises(Fault, match="ValidationException"):
        PAGES.position(to_cursor(position), str)


def test_a_name_that_no_key_can_have_is_refused() -> None:
    def key(name: str) -> str:
        raise ValueError(name)

    assert PAGES.after(None, key) == ""
    with pytest.raises(Fault, match="ValidationException"):
        PAGES.after(to_cursor(("a:b",)), key)


@given(st.integers(0, 9), st.integers(1, 4), st.booleans())
def test_pages_add_up_to_the_whole(count: int, limit: int, by_name: bool) -> None:
    rows = [f"n{number}" for number in range(count)]
    seen: list[str] = []
    cursor = None
    while True:
        rest = (PAGES.beyond if by_name else PAGES.following)(rows, cursor, str)
        shown, more = PAGES.page(rest, limit, str)
        assert len(shown) <= limit
        seen += shown
        cursor = more.get("NextToken")
        if cursor is None:
            break
    assert seen == rows


def test_a_page_after_what_is_gone_is_refused_rather_than_empty() -> None:
    _, more = PAGES.page(["a", "b"], 1, str)
    with pytest.raises(Fault, match="ValidationException"):
        PAGES.following(["b"], more["NextToken"], str)
    assert PAGES.beyond(["b"], more["NextToken"], str) == ["b"]


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 4), st.integers(0, 12))
def test_wanted_rows_are_the_first_ones_and_no_more_is_read_at_once(
    wanted: list[bool], limit: int, first: int
) -> None:
    rows = [(f"{number:02}", number) for number in range(len(wanted))]

    def read(after: str, most: int) -> Sequence[tuple[str, int]]:
        assert most == limit
        return [row for row in rows if row[0] > after][:most]

    after = "" if first == 0 else f"{first - 1:02}"
    found = wanted_rows(read, lambda number: wanted[number], after=after, limit=limit)
    assert found == [number for number in range(first, len(wanted)) if wanted[number]][:limit]
