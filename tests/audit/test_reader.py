"""What is written is what is read, and what cannot be read is said with its file."""

import json
from pathlib import Path

import pytest

from passrole.audit import Audit, Check, Entry, NoTrail, Unreadable, Wanted, entries

ALLOWED = Check("iam:PassRole", "arn:r", True, "identity", "p", 0, passed_to="lambda.amazonaws.com")
DENIED = Check("sqs:SendMessage", "arn:q", False, "identity", None, None, ("near",), {"identity": "silent"})


def entry(request_id: str, *checks: Check, code: str | None = None) -> Entry:
    message = None if code is None else "not authorised\x7f"
    return Entry(1.5, request_id, "arn:p", "sqs", "SendMessage", "us-east-1", checks, code, message, 0.25)


def read(data: Path) -> list[Entry]:
    return list(entries(data))


def write(data: Path, *written: Entry) -> None:
    trail = Audit(data / "audit.jsonl")
    for each in written:
        trail.record(each)
    trail.close()


def test_an_entry_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = [entry("1", ALLOWED), entry("2", ALLOWED, DENIED, code="AccessDenied"), entry("3")]
    write(tmp_path, *written)
    assert read(tmp_path) == written


def test_the_full_file_is_read_before_the_present_one_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    write(tmp_path, entry("old"))
    (tmp_path / "audit.jsonl").rename(tmp_path / "audit.jsonl.1")
    write(tmp_path, entry("new"))
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(b'{"request_id": "torn')
    assert [each.request_id for each in read(tmp_path)] == ["old", "new"]


def test_only_lines_that_fit_are_parsed(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_text("no JSON\n" + json.dumps({"request_id": "1"}) + "\n")
    assert [each.request_id for each in entries(tmp_path, Wanted(holding=(b"request_id",)))] == ["1"]


@pytest.mark.parametrize(
    "line, message",
    [
        ("no JSON", "is not JSON"),
        ("[]", "is not an entry of the trail"),
        ("7", "is not an entry of the trail"),
        ('{"checks": [{}]}', "is not an entry of the trail"),
        ('{"checks": 1}', "is not an entry of the trail"),
    ],
)
def test_a_line_that_is_no_entry_is_told_with_its_file(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "audit.jsonl").write_text(f"{line}\n")
    with pytest.raises(Unreadable, match=message) as raised:
        read(tmp_path)
    assert str(tmp_path / "audit.jsonl") in str(raised.value)


def test_a_folder_without_a_trail_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NoTrail):
        read(tmp_path)
