"""Archives of models: what is in them stays in the model's folder, or is refused."""

import asyncio
import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from passrole.runtimes.ml import archives
from passrole.runtimes.ml.archives import BadArchive, unpack

Member = tuple[tarfile.TarInfo, bytes]


def _file(name: str, content: bytes = b"x") -> Member:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def _special(name: str, type_: bytes, target: str = "") -> Member:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = type_, target
    return member, b""


def _unpacked(tmp_path: Path, *members: Member) -> Path:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return _taken(tmp_path)


def _taken(tmp_path: Path) -> Path:
    folder = tmp_path / "inside/model"
    folder.mkdir(parents=True)
    asyncio.run(unpack(tmp_path / "model.tar.gz", folder))
    return folder


def test_files_folders_and_links_inside_are_unpacked(tmp_path: Path) -> None:
    folder = _unpacked(
        tmp_path,
        _file("model.json", b"2"),
        _file("code/inference.py"),
        _special("l", tarfile.SYMTYPE, "code"),
    )
    assert (folder / "model.json").read_bytes() == b"2"
    assert (folder / "l/inference.py").read_bytes() == b"x"


@pytest.mark.parametrize(
    "member",
    [
        _file("../outside"),
        _file("/etc/outside"),
        _special("l", tarfile.SYMTYPE, "/etc/passwd"),
        _special("l", tarfile.SYMTYPE, "../../outside"),
        _special("l", tarfile.LNKTYPE, "../outside"),
        _special("p", tarfile.FIFOTYPE),
        _special("d", tarfile.CHRTYPE),
    ],
    ids=lambda member: f"{member[0].type.decode()}{member[0].name}",
)
def test_what_would_leave_the_folder_is_refused(tmp_path: Path, member: Member) -> None:
    with pytest.raises(BadArchive, match=member[0].name):
        _unpacked(tmp_path, _file("first"), member)
    assert not (tmp_path / "inside/outside").exists()


def test_an_archive_that_unpacks_to_far_too_much_is_refused_before_it_does(tmp_path: Path) -> None:
    bomb = tarfile.TarInfo("zeros")
    bomb.size = 3 << 30
    with gzip.open(tmp_path / "model.tar.gz", "wb") as archive:
        archive.write(bomb.tobuf() + bytes(1 << 20))
    with pytest.raises(BadArchive, match="far more than a model has"):
        _taken(tmp_path)


def test_a_header_that_asks_for_any_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MEMORY_KB_MAX", 200 * 1024)
    header = tarfile.TarInfo("h")
    header.type, header.size = tarfile.XHDTYPE, 2 << 30
    block = bytes(64 << 20)
    with gzip.open(tmp_path / "model.tar.gz", "wb", compresslevel=1) as archive:
        archive.write(header.tobuf(tarfile.USTAR_FORMAT))
        for _ in range(5):
            archive.write(block)
    with pytest.raises(BadArchive, match="a header that no archive needs"):
        _taken(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [lambda whole: b"no archive", lambda whole: whole[: len(whole) // 2], lambda whole: b""],
    ids=["other", "half", "empty"],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BadArchive, match="cannot be unpacked"):
        _unpacked(tmp_path, _file("m", bytes(range(256)) * 40))
        whole = (tmp_path / "model.tar.gz").read_bytes()
        (tmp_path / "inside/model/m").unlink()
        (tmp_path / "inside/model").rmdir()
        (tmp_path / "model.tar.gz").write_bytes(damage(whole))
        (tmp_path / "inside").rmdir()
        _taken(tmp_path)
