"""What is taken from a folder that a program, perhaps a hostile one, has left."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from passrole import trees
from passrole.runtimes.ml import artefacts


def _names(*folders: Path) -> dict[str, bytes | None]:
    archive = io.BytesIO()
    artefacts.pack(folders, archive)
    archive.seek(0)
    with tarfile.open(fileobj=archive) as tar:
        return {
            each.name: (tar.extractfile(each) or io.BytesIO()).read() if each.isreg() else None
            for each in tar
        }


def test_an_archive_has_the_folders_content_at_its_root(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "x.py").write_text("1")
    (tmp_path / "model").write_bytes(b"m")
    assert _names(tmp_path) == {"code": None, "code/x.py": b"1", "model": b"m"}


def test_of_several_instances_the_later_one_counts(tmp_path: Path) -> None:
    for host, names in (("1", ["a", "both", "d/x", "e/y"]), ("2", ["both", "d/z", "e"])):
        for name in names:
            path = tmp_path / host / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(host)
    packed = _names(tmp_path / "1", tmp_path / "2")
    files = {"a": b"1", "both": b"2", "d/x": b"1", "d/z": b"2", "e": b"2"}
    assert packed == {"d": None, **files}
    assert _names(tmp_path / "2", tmp_path / "1") == {
        "d": None,
        **files,
        "both": b"1",
        "e": None,
        "e/y": b"1",
    }


def test_links_are_kept_as_links_and_what_is_no_file_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "outside").symlink_to("/etc/passwd")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert _names(tmp_path) == {"outside": None, "loop": None}
    assert list(artefacts.files(tmp_path)) == []


def test_a_folder_deeper_than_any_recursion_is_read(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1_500):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    try:
        assert len(_names(tmp_path)) == 1_500
    finally:
        trees.remove(tmp_path)  # which others cannot


def test_files_come_with_their_paths(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x").touch()
    (tmp_path / "y").touch()
    assert [name for name, _ in artefacts.files(tmp_path)] == ["y", "a/b/x"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"short", "short"),
        (b"x" * 1_000_000, "x" * 1024),
        ("é".encode() * 600, "é" * 512),
        (b"x" + "é".encode() * 600, "x" + "é" * 511),
        (b"", ""),
    ],
)
def test_a_message_is_its_first_kilobyte_of_whole_letters(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "failure").write_bytes(content)
    assert artefacts.message(tmp_path, "failure") == message


def test_a_message_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "failure").write_bytes(b"\xff\xfe")
    with pytest.raises(UnicodeDecodeError):
        artefacts.message(tmp_path, "failure")


def test_a_message_that_is_no_file_of_its_own_is_none(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    names = ["link", "pipe", "folder", "missing"]
    assert [artefacts.message(tmp_path, name) for name in names] == [None] * 4


def test_whether_a_folder_is_empty(tmp_path: Path) -> None:
    assert artefacts.is_empty(tmp_path)
    assert artefacts.is_empty(tmp_path / "missing")
    (tmp_path / "x").touch()
    assert not artefacts.is_empty(tmp_path)


@pytest.mark.parametrize("name", ["link", "out/f", "in/out/f", "in", "pipe", "missing"])
def test_what_is_opened_is_a_file_below_the_folder(tmp_path: Path, name: str) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    (root / "in").mkdir(parents=True)
    outside.mkdir()
    (outside / "f").write_text("secret")
    (root / "link").symlink_to(outside / "f")
    (root / "out").symlink_to(outside)
    (root / "in" / "out").symlink_to(outside)
    os.mkfifo(root / "pipe")
    with pytest.raises(OSError):
        artefacts.opened(root, name)
    (root / "in" / "own").write_text("own")
    with artefacts.opened(root, "in/own") as file:
        assert file.read() == b"own"
