"""Pages in whatever size are the whole list, and a marker is a place rather than a row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.faults import Fault
from passrole.services.iam.paging import page

Names = st.lists(st.text(max_size=5), unique=True, max_size=12)


def one(names: list[str], marker: str | None, max_items: int | None) -> tuple[list[str], str | None]:
    answer = page("Names", names, by=str, shape=str, marker=marker, max_items=max_items)
    assert answer["IsTruncated"] is ("Marker" in answer)
    return answer["Names"], answer.get("Marker")


@given(Names, st.integers(1, 5))
def test_all_pages_together_are_the_list_in_order(names: list[str], size: int) -> None:
    found, marker = one(names, None, size)
    while marker is not None:
        more, marker = one(names, marker, size)
        assert more
        found += more
    assert found == sorted(names)


def test_a_marker_outlives_the_row_that_it_names() -> None:
    first, marker = one(["a", "b", "c"], None, 2)
    assert first == ["a", "b"]
    assert one(["a", "a2", "c"], marker, 2) == (["c"], None)


def test_a_page_has_a_hundred_rows_unless_told_otherwise() -> None:
    names = [f"{number:03}" for number in range(101)]
    assert len(one(names, None, None)[0]) == 100


@given(st.text(max_size=20))
def test_any_text_as_a_marker_is_taken_or_refused(text: str) -> None:
    try:
        one(["a"], text, None)
    except Fault as fault:
        assert fault.code == "ValidationError"


@pytest.mark.parametrize("marker", ["!", "ä", "/w=="])
def test_what_no_page_gave_is_refused(marker: str) -> None:
    with pytest.raises(Fault, match="Invalid Marker"):
        one(["a"], marker, None)
