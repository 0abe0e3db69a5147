"""What an EMR step printed is shown once, whether a server has all of it or the end alone."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from passrole.client.step_logs import _of_program

LISTED = {"StepName": "Spark", "StartTime": datetime(2026, 1, 1, tzinfo=UTC)}
NAMED = {"ClusterId": "j-1", "StepId": "s-1"}


class Printed:
    """A connection to a server that has a stream from a byte on, and answers a few bytes at once."""

    def __init__(self, stdout: str, start: int = 0) -> None:
        self.streams = {"stderr": b"", "stdout": stdout.encode()}
        self.start = start

    def ask(self, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
        assert operation == "ReadEmrStepLog"
        text = self.streams[given["Stream"]]
        start = max(given["Offset"], self.start if text else 0)
        found = text[start : start + 3]
        return {"Text": found.decode(), "Start": start, "Offset": start + len(found)}


def lines(connection: Any) -> dict[str, str]:
    """By their ids."""
    return {each.id: each.text for each in _of_program(connection, LISTED, "ReadEmrStepLog", NAMED)}


def test_lines_of_the_end_alone_are_the_same_lines() -> None:
    whole, end = lines(Printed("one\ntwo\nthree\n")), lines(Printed("one\ntwo\nthree\nfour\n", start=4))
    assert list(whole.values()) == ["one", "two", "three"]
    assert [text for id_, text in end.items() if id_ not in whole] == [
        "[4 bytes of stdout before this are on the server that ran it]",
        "four",
    ]


def test_an_unfinished_line_waits_for_its_end() -> None:
    assert list(lines(Printed("one\ntw")).values()) == ["one"]
