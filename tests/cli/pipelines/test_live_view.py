"""`passrole run` looked at in a terminal: 30 parallel steps and two waiting callbacks, in three sizes."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Server
from tests.eventually import SECONDS_MAX
from tests.terminal import Terminal

Passrole = Callable[..., "subprocess.Popen[str]"]
PARTS = [f"Part{number:02}" for number in range(30)]
WAITS_FOR_THE_FILE = """
import os, time
def handler(event, context):
    if event["fails"]:
        raise ValueError("the table has no column `score`: see s3://a-long-name-of-a-bucket/and/a/long/prefix.csv")
    while not os.path.exists(event["until"]):
        time.sleep(0.1)
"""


class Watched:
    """A command in a terminal whose size can change."""

    def __init__(self, passrole: Passrole, columns: int, rows: int, *arguments: str, **environment: str):
        self.ours, self._theirs = pty.openpty()
        self.resize(columns, rows)
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), self._theirs)
        environment = {"TERM": "xterm", "COLUMNS": "", "LINES": "", **environment}
        self.process = passrole(*arguments, **streams, env=environment)
        self.written = ""

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.terminal = Terminal(columns, rows)

    def press(self, keys: str) -> None:
        os.write(self.ours, keys.encode())

    def until(self, *texts: str) -> list[str]:
        """The rows, once all these texts are on the screen."""
        end = time.monotonic() + SECONDS_MAX
        while not all(text in "\n".join(self.terminal.lines) for text in texts):
            left = max(0.0, end - time.monotonic())
            assert select.select([self.ours], [], [], left)[0], (texts, self.terminal.lines)
            read = os.read(self.ours, 65536).decode(errors="replace")
            self.written += read
            self.terminal.write(read)
        return self.terminal.lines

    def close(self) -> None:
        os.close(self._theirs)
        os.close(self.ours)


@pytest.fixture
def watch(passrole: Passrole) -> Iterator[Callable[..., Watched]]:
    watched: list[Watched] = []

    def start(*arguments: Any, **environment: str) -> Watched:
        columns, rows, *rest = arguments
        watched.append(Watched(passrole, columns, rows, *rest, **environment))
        return watched[-1]

    yield start
    for each in watched:
        each.close()


def step(name: str, kind: str, **members: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, **members}


@pytest.fixture
def arguments(server: Server, write: Callable[[str, Any], str], tmp_path: Path) -> list[str]:
    """`passrole run` of 30 functions, of which one fails, two callbacks, and a step after these."""
    url = server.client("sqs").create_queue(QueueName="sagemaker-live-view")["QueueUrl"]
    folder = tmp_path / "part"
    folder.mkdir()
    (folder / "part.py").write_text(WAITS_FOR_THE_FILE)
    arn = "arn:aws:lambda:us-east-1:111122223333:function:sagemaker-part"
    parts = [
        step(
            name,
            "Lambda",
            FunctionArn=arn,
            Arguments={"fails": name == "Part07", "until": str(tmp_path / "go")},
        )
        for name in PARTS
    ]
    outputs = [{"OutputName": "threshold", "OutputType": "Float"}]
    review = step("Review", "Callback", SqsQueueUrl=url, Arguments={}, OutputParameters=outputs)
    budget = step("Budget", "Callback", SqsQueueUrl=url, Arguments={})
    end = step("End", "Fail", Arguments={"ErrorMessage": "no"}, DependsOn=["Review"])
    file = write("watched.json", {"Version": "2020-12-01", "Steps": [*parts, review, budget, end]})
    return ["run", file, f"--function=sagemaker-part={folder}:part.handler", f"--data={server.data}"]


def seen(lines: list[str]) -> str:
    return "".join("".join(lines).split())


@pytest.mark.slow
def test_thirty_steps_and_two_callbacks_in_three_sizes(
    watch: Callable[..., Watched], arguments: list[str], tmp_path: Path
) -> None:
    watched = watch(80, 24, *arguments)
    for columns, rows in ((80, 24), (200, 50), (40, 20)):
        if columns != 80:
            watched.resize(columns, rows)
        lines = watched.until("Part29", "2 callbacks wait", "Part07", "Failed")
        assert all(name in seen(lines) for name in (*PARTS, "Review", "Budget"))
        assert "ValueError:thetablehas" in seen(lines)
        footer = [line for line in lines if line][-1]
        assert footer.endswith("Esc leave")
    watched.press("\t")
    watched.until("Budget is chosen", "> Budget")
    watched.press("a")
    watched.until("approve Budget: it declares no outputs")
    watched.press("\x1b")
    watched.until("Tab next")
    watched.press("\x1b[Aa")
    watched.until("approve Review: threshold, a number")
    watched.press("much\r")
    watched.until("`much` is not a number", "> much")
    watched.press("\x150.5\r")
    watched.until("Budget waits for an answer")
    watched.press("r")
    watched.until("reject Budget: the reason")
    watched.press("too dear\r")
    watched.until("Esc leave")
    (tmp_path / "go").touch()
    watched.until("passrole logs")
    told = watched.terminal.text.replace("\n", "")
    assert "Review.threshold = 0.5" in told
    assert "too dear" in told
    assert watched.process.wait(SECONDS_MAX) == 1


@pytest.mark.slow
def test_escape_leaves_and_the_execution_goes_on(
    watch: Callable[..., Watched], arguments: list[str], tmp_path: Path, server: Server
) -> None:
    watched = watch(80, 24, *arguments)
    watched.until("2 callbacks wait")
    watched.press("\x1b")
    watched.until("stopped watching; the execution goes on")
    assert watched.process.wait(SECONDS_MAX) == 130
    sagemaker = server.client("sagemaker")
    newest = sagemaker.list_pipeline_executions(PipelineName="watched")["PipelineExecutionSummaries"][0]
    assert newest["PipelineExecutionStatus"] == "Executing"
    (tmp_path / "go").touch()
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=newest["PipelineExecutionArn"])


@pytest.mark.slow
@pytest.mark.parametrize("environment, arguments_", [({"NO_COLOR": "1"}, []), ({}, ["--no-color"])])
def test_a_terminal_without_colours_gets_none(
    watch: Callable[..., Watched],
    environment: dict[str, str],
    arguments_: list[str],
    server: Server,
    write: Callable[[str, Any], str],
) -> None:
    file = write(
        "plain.json",
        {"Version": "2020-12-01", "Steps": [step("Never", "Fail", Arguments={"ErrorMessage": "m"})]},
    )
    watched = watch(80, 24, "run", file, f"--data={server.data}", *arguments_, **environment)
    watched.until("Failed after")
    assert "\x1b[3" not in watched.written and "\x1b[1m" not in watched.written
