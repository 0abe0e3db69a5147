"""Folders that are deeper than Python's stack, and than the system's longest path."""

import os
from pathlib import Path

import pytest

from passrole import trees

DEPTH = 3_000


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """A folder in which folders lie DEPTH deep, with a file at the bottom."""
    root = tmp_path / "root"
    root.mkdir()
    folder = os.open(root, os.O_RDONLY)
    for _ in range(DEPTH):
        os.mkdir("d", dir_fd=folder)
        inner = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)
    return root


def test_a_folder_of_any_depth_is_removed(deep: Path) -> None:
    trees.remove(deep)
    assert not deep.exists()


def test_what_links_lead_to_stays(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/file").touch()
    (tmp_path / "root/inner").mkdir(parents=True)
    (tmp_path / "root/link").symlink_to(tmp_path / "other")
    (tmp_path / "root/inner/link").symlink_to(tmp_path / "other")
    (tmp_path / "itself").symlink_to(tmp_path / "other")
    trees.remove(tmp_path / "itself")
    trees.remove(tmp_path / "root")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "itself", "other"]


def test_a_folder_that_is_not_there_is_removed_already(tmp_path: Path) -> None:
    trees.remove(tmp_path / "absent")


def test_folders_are_made_and_found_at_the_systems_depth(tmp_path: Path) -> None:
    folder = tmp_path / ("d/" * 1_800)
    trees.make(folder)
    trees.make(folder)
    assert len(list(trees.folders(tmp_path))) == 1_801
    trees.remove(tmp_path / "d")  # pytest itself could not


def test_what_goes_while_a_folder_is_walked_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for inner in ("a", "b"):
        trees.make(tmp_path / "root" / inner)
        (tmp_path / "root" / inner / "file").write_bytes(b"four")
    assert trees.bytes_in(tmp_path / "root") == 8
    seen = list(trees.files(tmp_path / "root"))
    walk = trees.files(tmp_path / "root")
    assert next(walk) in seen
    trees.remove(tmp_path / "root")
    assert list(walk) == []
    (tmp_path / "root").mkdir()
    monkeypatch.setattr(trees, "entries", lambda folder: seen)
    assert trees.bytes_in(tmp_path / "root") == 0
    assert trees.bytes_in(tmp_path / "absent") == 0


def test_links_count_as_themselves(tmp_path: Path) -> None:
    trees.make(tmp_path / "root/inner")
    (tmp_path / "root/inner/file").write_bytes(b"four")
    (tmp_path / "root/itself").symlink_to(tmp_path / "root")
    (tmp_path / "link").symlink_to("root")
    assert [path.name for path in trees.files(tmp_path / "root")] == ["file"]
    assert trees.bytes_in(tmp_path / "link") == len("root")


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        trees.make(tmp_path / "file/inner")
