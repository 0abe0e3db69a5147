"""A folder becomes the same archive every time, and nothing but its own files."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from passrole.client import InvalidInput
from passrole.client.packaging import Source, archive, code_sha256, read_source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text("def handler(event, context): ...")
    (tmp_path / "lib" / "__pycache__").mkdir(parents=True)
    (tmp_path / "lib" / "inner.py").write_text("x = 1")
    (tmp_path / "lib" / "__pycache__" / "inner.pyc").write_bytes(b"compiled")
    return tmp_path


def names(zipped: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(zipped)).namelist()


def test_an_archive_holds_every_file_but_what_python_left_behind(folder: Path) -> None:
    assert names(archive(folder)) == ["app.py", "lib/inner.py"]


def test_an_archive_does_not_change_with_the_time_or_mode_of_its_files(folder: Path) -> None:
    before = archive(folder)
    os.utime(folder / "app.py", (1, 1))
    (folder / "app.py").chmod(0o755)
    assert archive(folder) == before


def test_an_archive_changes_with_the_content(folder: Path) -> None:
    before = archive(folder)
    (folder / "app.py").write_text("changed")
    assert code_sha256(archive(folder)) != code_sha256(before)


def test_a_hash_is_spelled_as_lambda_spells_it() -> None:
    assert code_sha256(b"") == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


@pytest.mark.parametrize(
    "handler, present",
    [
        ("app.handler", True),
        ("lib.inner.handler", True),
        ("lib/inner.handler", True),
        ("lib.handler", True),  # a package
        ("other.handler", False),
    ],
)
def test_the_module_of_a_handler_must_be_there(folder: Path, handler: str, present: bool) -> None:
    text = f"sagemaker-f={folder}:{handler}"
    if present:
        assert read_source(text) == Source("sagemaker-f", folder, handler)
    else:
        with pytest.raises(InvalidInput, match="has no `other"):
            read_source(text)


def test_the_folder_may_hold_a_colon(folder: Path) -> None:
    odd = folder / "a:b"
    odd.mkdir()
    (odd / "app.py").touch()
    assert read_source(f"f={odd}:app.handler").folder == odd
