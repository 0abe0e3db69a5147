"""Parties take turns, and one alone leaves room."""

import pytest

from passrole.runtimes.turns import NOBODY, Turns


def begun(turns: Turns[str]) -> list[str]:
    """Those that may begin now, in their order."""
    items: list[str] = []
    while (following := turns.begin()) is not None:
        items.append(following[1])
    return items


def test_parties_take_turns_and_each_keeps_its_order() -> None:
    turns: Turns[str] = Turns(100)
    for item in ("a1", "a2", "a3", "b1", "c1", "c2"):
        turns.add(item[0], item)
    assert begun(turns) == ["a1", "b1", "c1", "a2", "c2", "a3"]
    assert len(turns) == 0


def test_who_comes_later_is_behind_one_of_each_and_not_behind_all() -> None:
    turns: Turns[str] = Turns(1)
    for number in range(150):
        turns.add("large", f"large{number}")
    assert turns.begin() == ("large", "large0")
    turns.add("small", "small")
    assert turns.begin() is None
    turns.end("large")
    assert turns.begin() == ("large", "large1")  # whose turn it was
    turns.end("large")
    assert turns.begin() == ("small", "small")


@pytest.mark.parametrize(("places", "share"), [(1, 1), (2, 2), (7, 7), (8, 7), (32, 28), (256, 224)])
def test_a_party_leaves_an_eighth_of_the_places_to_others(places: int, share: int) -> None:
    turns: Turns[str] = Turns(places)
    for number in range(300):
        turns.add("large", f"large{number}")
    assert len(begun(turns)) == share
    turns.add("small", "small")
    assert begun(turns) == (["small"] if share < places else [])
    turns.end("large")
    assert len(begun(turns)) == 1


def test_those_without_a_party_may_take_every_place() -> None:
    turns: Turns[str] = Turns(32)
    for number in range(40):
        turns.add(NOBODY, f"{number}")
    assert len(begun(turns)) == 32
    assert (len(turns), turns.free) == (8, 0)


def test_what_is_withdrawn_does_not_wait_any_more() -> None:
    turns: Turns[str] = Turns(1)
    for item in ("a1", "a2", "b1"):
        turns.add(item[0], item)
    assert list(turns.withdraw("a")) == ["a1", "a2"]
    assert (turns.waiting("a"), turns.waiting("b"), len(turns)) == (0, 1, 1)
    assert begun(turns) == ["b1"]
    assert list(turns.withdraw("nobody")) == []
