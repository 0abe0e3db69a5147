"""How much of a job's data has come or gone, told where it is much."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from passrole.runtimes import jobs, transfer
from passrole.runtimes.transfer import BYTES_MIN, Transfer


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "SECONDS_MIN", 0.0)


def read(folder: Path) -> Mapping[str, Any]:
    return transfer.parsed(jobs.read_output(folder, transfer.FILE, 0, 1_000))


def test_what_is_large_is_told_until_it_ends(tmp_path: Path, always: None) -> None:
    told = Transfer(tmp_path)
    told.begin("Downloading")
    told.expect(BYTES_MIN)
    assert read(tmp_path) == {"Phase": "Downloading", "Bytes": 0, "ExpectedBytes": BYTES_MIN}
    told.expect(50)
    told.moved(7)
    told.moved(8)
    assert read(tmp_path) == {"Phase": "Downloading", "Bytes": 15, "ExpectedBytes": BYTES_MIN + 50}
    told.begin("Uploading")
    assert read(tmp_path) == {}
    told.expect(2 * BYTES_MIN)
    assert read(tmp_path)["Phase"] == "Uploading"
    told.end()
    told.end()
    assert read(tmp_path) == {}


def test_what_is_small_is_not_told(tmp_path: Path, always: None) -> None:
    told = Transfer(tmp_path)
    told.begin("Downloading")
    told.expect(BYTES_MIN - 1)
    told.moved(BYTES_MIN - 1)
    assert read(tmp_path) == {}


def test_many_small_pieces_are_few_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "SECONDS_MIN", 3600.0)
    told = Transfer(tmp_path)
    told.begin("Downloading")
    told.expect(BYTES_MIN)
    told.moved(1)
    assert read(tmp_path)["Bytes"] == 0


def test_a_folder_that_is_not_there_and_a_file_that_is_cut_tell_nothing(tmp_path: Path, always: None) -> None:
    told = Transfer(tmp_path / "none")
    told.begin("Downloading")
    told.expect(BYTES_MIN)
    assert read(tmp_path / "none") == {}
    (tmp_path / "transfer.json").write_text('{"Pha')
    assert read(tmp_path) == {}
