"""Keys in S3's order, compared with a plain sort of everything there is."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passrole import trees
from passrole.services.s3 import key_order
from passrole.services.s3.key_order import LAST, KeyWalk, common_prefix

NAMES = st.sampled_from(["a", "b", "a-", "a0", "ab", "a.b", "é", "z"])
KEYS = st.sets(st.lists(NAMES, min_size=1, max_size=3).map("/".join), max_size=12)
PLACES = st.text("ab/-é", max_size=4)


def without_conflicts(keys: set[str]) -> set[str]:
    """The keys that can be files together: none is another's folder."""
    return {key for key in keys if not any(other.startswith(f"{key}/") for other in keys)}


@settings(max_examples=60, deadline=None)
@given(KEYS, PLACES, PLACES)
def test_the_keys_beyond_a_place_come_in_the_order_of_their_bytes(
    drawn: set[str], after: str, prefix: str
) -> None:
    keys = without_conflicts(drawn)
    with tempfile.TemporaryDirectory() as folder:
        for key in keys:
            path = Path(folder, key)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        walk, found, place = KeyWalk(Path(folder), ()), list[str](), after
        while (following := walk.next_key(place, prefix)) is not None:
            found.append(following)
            place = following
    expected = [key for key in keys if key > after and key.startswith(prefix)]
    assert found == sorted(expected, key=lambda key: key.encode())


def test_a_marker_comes_before_what_is_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").touch()
    walk = KeyWalk(tmp_path, ["a/"])
    assert [walk.next_key(), walk.next_key("a/"), walk.next_key("a/b")] == ["a/", "a/b", None]


def test_names_that_are_no_text_and_empty_folders_are_no_keys(tmp_path: Path) -> None:
    (tmp_path / "empty/deeper").mkdir(parents=True)
    Path(str(tmp_path) + "/\udcff").touch()
    assert KeyWalk(tmp_path, ()).next_key() is None


def test_a_folder_can_be_stepped_over(tmp_path: Path) -> None:
    for key in ("a/b", "a/c", "a0"):
        path = tmp_path / key
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert KeyWalk(tmp_path, ()).next_key("a/" + LAST) == "a0"


def test_a_key_rolls_up_to_the_first_delimiter_beyond_the_prefix() -> None:
    assert common_prefix("a/b/c", "", "/") == "a/"
    assert common_prefix("a/b/c", "a/", "/") == "a/b/"
    assert common_prefix("a/b/c", "a/b/", "/") is None
    assert common_prefix("a--b", "", "--") == "a--"
    assert common_prefix("a/b", "", "") is None


def test_a_key_may_nest_as_deep_as_it_can_be_long(tmp_path: Path) -> None:
    key = "b/" * 511 + "cc"
    trees.make((tmp_path / key).parent)
    (tmp_path / key).touch()
    walk = KeyWalk(tmp_path, ())
    assert walk.next_key() == key
    assert walk.next_key("b/" * 200, "b/" * 300) == key
    assert walk.next_key(key) is None


def test_what_lies_deeper_than_keys_reach_is_no_key(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(8):
        folder /= "f" * 200
    trees.make(folder)
    (folder / "file").touch()
    assert KeyWalk(tmp_path, ()).next_key() is None


def test_a_folder_of_more_names_than_are_sorted_at_once_is_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_order, "SORTED_MAX", 3)
    for name in "hbgaecdf":
        (tmp_path / name).touch()
    walk, found, place = KeyWalk(tmp_path, ()), "", ""
    while (following := walk.next_key(place)) is not None:
        found, place = found + following, following
    assert found == "abcdefgh"
