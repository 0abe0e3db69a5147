"""Files are copied whole, whatever the file system can do."""

import errno
import os
from pathlib import Path

import pytest

from passrole.worker.jobs import copies

CONTENT = os.urandom(3_000_001)


def _refuse(*_arguments: object, **_named: object) -> int:
    raise OSError(errno.EXDEV, "not here")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("lacking", [(), ("copy_file_range",)])
def test_a_copy_is_another_file(
    source: Path, tmp_path: Path, lacking: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in lacking:
        monkeypatch.setattr(os, name, _refuse)
    with source.open("rb") as file:
        copies.copy(file, tmp_path / "copy")
    source.write_bytes(b"other")
    assert (tmp_path / "copy").read_bytes() == CONTENT


def test_a_link_is_the_same_file(source: Path, tmp_path: Path) -> None:
    with source.open("rb") as file:
        copies.link(file, tmp_path / "shown")
    assert (tmp_path / "shown").samefile(source)


def test_what_cannot_be_linked_is_copied(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", _refuse)
    with source.open("rb") as file:
        copies.link(file, tmp_path / "shown")
    assert not (tmp_path / "shown").samefile(source)
    assert (tmp_path / "shown").read_bytes() == CONTENT


def test_a_file_that_is_replaced_is_shown_as_it_was_opened(source: Path, tmp_path: Path) -> None:
    with source.open("rb") as file:
        (tmp_path / "new").write_bytes(b"other")
        (tmp_path / "new").replace(source)  # as S3 replaces an object
        copies.link(file, tmp_path / "shown")
    assert (tmp_path / "shown").read_bytes() == CONTENT


def test_an_empty_file_is_copied(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open("rb") as file:
        copies.copy(file, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b""


def test_nothing_is_overwritten(source: Path) -> None:
    with source.open("rb") as file, pytest.raises(FileExistsError):
        copies.copy(file, source)
