"""An asynchronous invocation is acknowledged first and runs all the same, also after a crash."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Server

NOTE = """
    import time

    def handler(event, context):
        time.sleep(event["seconds"])
        with open(event["file"], "a") as file:
            file.write(event["word"] + "\\n")
"""


def written(file: Path, seconds: float = 20) -> str:
    until = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < until, "nothing was written"
        time.sleep(0.02)
    return file.read_text()


def test_an_event_is_answered_with_202_and_runs(server: Server, tmp_path: Path) -> None:
    server.function("events-note", NOTE)
    payload = json.dumps({"file": str(tmp_path / "a"), "word": "ran", "seconds": 0})
    answer = server.client("lambda").invoke(
        FunctionName="events-note", InvocationType="Event", Payload=payload
    )
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    assert written(tmp_path / "a") == "ran\n"


def test_an_event_that_was_acknowledged_survives_a_kill(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = start_server()
    server.function("events-note", NOTE, Timeout=30)
    payload = json.dumps({"file": str(tmp_path / "b"), "word": "ran", "seconds": 0.5})
    server.client("lambda").invoke(FunctionName="events-note", InvocationType="Event", Payload=payload)
    server.kill()
    assert not (tmp_path / "b").exists()
    server.start()
    assert "ran\n" in written(tmp_path / "b")
