"""Archives by table: what is unpacked, what is refused, and that a refusal leaves nothing."""

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from passrole.faults import Fault
from passrole.services.lambda_.archives import Limits, sha256, unpack

UNZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."
SMALL = Limits(zipped_bytes=2_000, unpacked_bytes=1_000, entries=5)


def archive(*entries: tuple[str, bytes], mode: int = 0, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as opened:
        for name, data in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            info.external_attr = mode << 16
            opened.writestr(info, data)
    return made.getvalue()


def lying() -> bytes:
    """A bomb whose directory says that it holds one byte."""
    bomb = archive(("f", b"0" * 5_000))
    size = (5_000).to_bytes(4, "little")
    assert bomb.count(size) == 2
    return bomb.replace(size, (1).to_bytes(4, "little"))


def encrypted() -> bytes:
    made = bytearray(archive(("f", b"x")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        made[made.index(signature) + offset] |= 1
    return bytes(made)


def corrupt() -> bytes:
    made = bytearray(archive(("f", b"hello world"), compression=zipfile.ZIP_STORED))
    made[made.index(b"hello")] ^= 0xFF
    return bytes(made)


def link() -> bytes:
    return archive(("f", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777)


INVALID = "InvalidParameterValueException"
TOO_LARGE = "RequestEntityTooLargeException"
EMPTY = "Uploaded file must be a non-empty zip"
BOMB = "Unzipped size must be smaller than 1000 bytes"
LONG = "Zipped size must be smaller than 2000 bytes"
HOSTILE: list[tuple[str, Callable[[], bytes], str, str]] = [
    # what it is           archive                                             code       message
    ("no zip",             lambda: b"hello",                                   INVALID,   UNZIP),
    ("nothing in it",      lambda: archive(),                                  INVALID,   EMPTY),
    ("leads out",          lambda: archive(("../f", b"")),                     INVALID,   UNZIP),
    ("leads out later",    lambda: archive(("a/../../f", b"")),                INVALID,   UNZIP),
    ("absolute",           lambda: archive(("/tmp/f", b"")),                   INVALID,   UNZIP),
    ("a link",             link,                                               INVALID,   UNZIP),
    ("a device",           lambda: archive(("f", b""), mode=stat.S_IFCHR),     INVALID,   UNZIP),
    ("file is folder too", lambda: archive(("a", b""), ("a/b", b"")),          INVALID,   UNZIP),
    ("a name too long",    lambda: archive(("n" * 300, b"")),                  INVALID,   UNZIP),
    ("encrypted",          encrypted,                                          INVALID,   UNZIP),
    ("corrupt",            corrupt,                                            INVALID,   UNZIP),
    ("cut short",          lambda: archive(("f", b"x" * 99))[:-40],            INVALID,   UNZIP),
    ("its directory lies", lying,                                              INVALID,   UNZIP),
    ("a bomb",             lambda: archive(("f", b"0" * 1_001)),               INVALID,   BOMB),
    ("a bomb in parts",    lambda: archive(*[(c, b"0" * 501) for c in "ab"]),  INVALID,   BOMB),
    ("too many entries",   lambda: archive(*[(c, b"") for c in "abcdef"]),     INVALID,   UNZIP),
    ("too large",          lambda: b"x" * 2_001,                               TOO_LARGE, LONG),
]  # fmt: skip


@pytest.mark.parametrize(
    "make, code, message", [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE]
)
def test_a_hostile_archive_is_refused_and_leaves_nothing(
    tmp_path: Path, make: Callable[[], bytes], code: str, message: str
) -> None:
    with pytest.raises(Fault) as caught:
        unpack(make(), tmp_path / "place" / "code", SMALL)
    assert (caught.value.code, caught.value.message) == (code, message)
    assert [path.name for path in tmp_path.rglob("*") if path.name != "place"] == []


def test_an_archive_of_just_the_allowed_size_is_unpacked(tmp_path: Path) -> None:
    unpack(archive(("f", b"0" * 1_000)), tmp_path / "code", SMALL)
    assert (tmp_path / "code" / "f").stat().st_size == 1_000


def test_files_and_folders_appear_as_they_were_packed(tmp_path: Path) -> None:
    unpack(archive(("a/", b""), ("a/b.py", b"x = 1"), ("ü.txt", b"")), tmp_path / "code")
    found = {str(path.relative_to(tmp_path / "code")) for path in (tmp_path / "code").rglob("*")}
    assert found == {"a", "a/b.py", "ü.txt"}
    assert (tmp_path / "code" / "a" / "b.py").read_bytes() == b"x = 1"


@pytest.mark.parametrize("packed, unpacked", [(0o755, 0o755), (0o444, 0o644), (0o4777, 0o755)])
def test_a_file_is_readable_and_never_more_than_executable(
    tmp_path: Path, packed: int, unpacked: int
) -> None:
    unpack(archive(("f", b""), mode=stat.S_IFREG | packed), tmp_path / "code")
    assert stat.S_IMODE((tmp_path / "code" / "f").stat().st_mode) == unpacked


def test_the_digest_is_lambdas() -> None:
    assert sha256(b"") == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_a_file_may_lie_as_deep_as_the_system_takes(tmp_path: Path) -> None:
    name = "d/" * 700 + "f"
    unpack(archive((name, b"x")), tmp_path / "code")
    assert (tmp_path / "code" / name).read_bytes() == b"x"


def test_a_file_that_lies_deeper_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Fault) as caught:
        unpack(archive(("d/" * 20_000 + "f", b"x")), tmp_path / "code")
    assert caught.value.message == UNZIP
    assert list(tmp_path.iterdir()) == []
