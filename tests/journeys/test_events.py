"""An asynchronous invocation is acknowledged first and runs all the same, also after a crash."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Server
from tests.eventually import eventually

NOTE = """
    import os, time

    def handler(event, context):
        while not os.path.exists(event["gate"]):
            time.sleep(0.02)
        with open(event["file"], "a") as file:
            file.write(event["word"] + "\\n")
"""


def written(file: Path) -> str:
    return eventually(lambda: file.read_text() if file.exists() else None)


def test_an_event_is_answered_with_202_and_runs(server: Server, tmp_path: Path) -> None:
    server.function("events-note", NOTE)
    payload = json.dumps({"file": str(tmp_path / "a"), "word": "ran", "gate": str(tmp_path)})
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
    payload = json.dumps({"file": str(tmp_path / "b"), "word": "ran", "gate": str(tmp_path / "gate")})
    server.client("lambda").invoke(FunctionName="events-note", InvocationType="Event", Payload=payload)
    server.kill()
    assert not (tmp_path / "b").exists()
    (tmp_path / "gate").touch()
    server.start()
    assert "ran\n" in written(tmp_path / "b")
