"""The bundled example through `run`, `callbacks`, `approve` and `reject`, as a person uses them."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.conftest import Server
from tests.eventually import SECONDS_MAX

from passrole import server_file
from passrole.cli import main
from passrole.config import Config

Passrole = Callable[..., "subprocess.Popen[str]"]
PATIENCE_SECONDS = SECONDS_MAX  # where others load the machine, a program that imports boto3 starts in 30 s


@pytest.fixture(scope="module")
def queue_url(server: Server) -> Iterator[str]:
    """A queue that the role may send to."""
    yield server.client("sqs").create_queue(QueueName="sagemaker-cli-reviews")["QueueUrl"]


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def waiting_of(execution: str, data: Path) -> dict[str, Any]:
    """The callback of the execution, once it waits."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        listed = json.loads(invoke("callbacks", "--data", str(data), "--format", "json").stdout)
        for each in listed:
            if each["execution"] == execution:
                found: dict[str, Any] = each
                return found
        time.sleep(0.05)
    raise AssertionError("no callback waits")


def execution_of(process: "subprocess.Popen[str]") -> str:
    """The ARN that `run` prints first of all that it follows."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("execution "):
            return line.split()[1]
    raise AssertionError("no execution was started")


def waits_of(process: "subprocess.Popen[str]") -> list[str]:
    """The lines up to the one with which `run` says that somebody is to answer."""
    assert process.stdout is not None
    lines = list[str]()
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if "waits for an answer to" in line:
            return lines
    raise AssertionError(lines)


def test_an_approved_run_succeeds_line_by_line(
    passrole: Passrole, server: Server, run_arguments: list[str], queue_url: str, tmp_path: Path
) -> None:
    result, data = tmp_path / "result.json", str(server.data)
    process = passrole(
        *run_arguments,
        f"--data={data}",
        f"-pQueueUrl={queue_url}",
        f"-pResultFile={result}",
        "--name=approved",
    )
    callback = waiting_of(execution_of(process), server.data)
    before = waits_of(process)
    assert (callback["step"], callback["arguments"]["cars"]) == ("Review", 50)
    assert f"{callback['token']}  " in invoke("callbacks", "--data", data).stdout
    assert invoke("approve", callback["token"], "-o", "reviewer=ada", "--data", data).exit_code == 0
    told, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, errors) == (0, "")
    assert json.loads(result.read_text())["reviewed_by"] == "ada"
    lines = [*before, *told.splitlines()]
    shown = [line.split(" s  ")[1] for line in lines if " s  " in line]
    assert f"Executing  Review: waits for an answer to {callback['token']}" in shown
    assert shown[-1] == "Succeeded  Publish"
    assert "  Publish.rows = 5" in lines
    assert "\x1b" not in told
    assert "\t" not in told


def test_a_rejected_run_fails_with_the_reason(
    passrole: Passrole, server: Server, run_arguments: list[str], queue_url: str
) -> None:
    data = str(server.data)
    process = passrole(*run_arguments, f"--data={data}", f"-pQueueUrl={queue_url}", "--name=rejected")
    token = waiting_of(execution_of(process), server.data)["token"]
    assert invoke("reject", token, "--reason", "too few cars", "--data", data).exit_code == 0
    told, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert "Failed     Review: too few cars" in told
    assert "Step failure: One or multiple steps failed." in told
    again = invoke("approve", token, "--data", data)
    assert (again.exit_code, again.stderr.count("\n")) == (1, 1)
    assert again.stderr.startswith("passrole approve: ConflictException: ")


def test_a_run_says_what_it_created_and_then_what_it_left(server: Server, example: Path) -> None:
    function = f"sagemaker-twice={example / 'fit'}:fit.handler"
    arguments = [
        *("run", str(example / "pipeline.json"), "--name", "twice", "--function", function),
        *("-p", "MinimumFit=0.9", "--data", str(server.data)),
    ]
    invoke(*arguments, "--function", f"sagemaker-fit={example / 'fit'}:fit.handler")
    second = invoke(*arguments)
    assert second.exit_code == 1  # the fit is not that good
    assert "function sagemaker-twice: unchanged" in second.stdout
    assert "pipeline twice: unchanged" in second.stdout
    assert "Failed     TooLoose: the line explains too little: R2 is 0.65" in second.stdout


def test_a_pipeline_is_updated_only_where_it_changed(
    server: Server, write: Callable[[str, Any], str]
) -> None:
    def run(message: str, *arguments: str) -> str:
        fail = {"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": message}}
        file = write("p.json", {"Version": "2020-12-01", "Steps": [fail]})
        said = invoke("run", file, "--name", "changing", "--data", str(server.data), *arguments).stdout
        return said.partition("pipeline changing: ")[2].split()[0]

    assert [run("a"), run("a"), run("b")] == ["created", "unchanged", "updated"]
    assert run("b", "--role", server.role()) == "updated"


def _lambda(function: str) -> dict[str, Any]:
    return {"Name": "F", "Type": "Lambda", "FunctionArn": _FUNCTION_ARN + function}


_FUNCTION_ARN = "arn:aws:lambda:us-east-1:111122223333:function:"
_FAIL = {"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
_LOGS, _EXPLAIN = "passrole logs --data {data} {execution} F  # ", "passrole explain --data {data}  # "


@pytest.mark.parametrize(
    "name, code, step, expected",
    [
        ("fails", "", _FAIL, []),
        ("sagemaker-broken", "raise ValueError('no table')", _lambda("sagemaker-broken"), [_LOGS]),
        ("misnamed", "return {}", _lambda("misnamed"), [_EXPLAIN]),
        (
            "sagemaker-refused",
            "raise ValueError('AccessDenied')",
            _lambda("sagemaker-refused"),
            [_LOGS, _EXPLAIN],
        ),
    ],
)
def test_after_a_failure_the_last_lines_say_what_has_more_to_tell(
    server: Server,
    write: Callable[[str, Any], str],
    tmp_path: Path,
    name: str,
    code: str,
    step: Any,
    expected: list[str],
) -> None:
    (tmp_path / "told").mkdir()
    (tmp_path / "told" / "told.py").write_text(f"def handler(event, context):\n    {code or 'pass'}\n")
    file = write("p.json", {"Version": "2020-12-01", "Steps": [step]})
    function = () if step is _FAIL else ("--function", f"{name}={tmp_path / 'told'}:told.handler")
    said = invoke("run", file, "--name", name, "--data", str(server.data), *function).stdout
    execution = said.partition("execution ")[2].split()[0].rpartition("/")[2]
    told = [line for line in said.splitlines() if line.startswith("passrole ")]
    assert len(told) == len(expected)
    for line, form in zip(told, expected, strict=True):
        assert line.startswith(form.format(data=server.data, execution=execution))


@pytest.mark.parametrize(
    "text, place",
    [
        ('{\n "Version": oops\n}', " line 2 column 13: Unable to parse pipeline definition."),
        ('{"Version": "1", "Steps": []}', " line 1 column 13 (Version): Unable to parse"),
        (
            '{"Version": "2020-12-01",\n "Steps": [\n  {"Name": "A", "Type": "Lambda", "FunctionArn": 5}]}',
            " line 3 column 50 (Steps[0].FunctionArn): ",
        ),
        ('{"Version": "2020-12-01",\n "Steps": [\n  {"Type": "Fail"}]}', " line 3 column 3 (Steps[0]): "),
        ("[1]", ": Unable to parse"),
        ("", " line 1 column 1: Unable to parse"),
    ],
)
def test_a_file_that_is_no_definition_is_misuse_with_its_place(
    write: Callable[[str, Any], str], text: str, place: str
) -> None:
    file = write("bad.json", text)
    result = invoke("run", file)
    assert result.stderr.startswith(f"passrole run: `{file}`{place}")
    assert (result.exit_code, result.stderr.count("\n"), result.stdout) == (2, 1, "")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("-p", "MinimumFit=much"), "ValidationException"),
        (("-p", "Unknown=1"), "ValidationException"),
        (("--role", "nobody"), "NoSuchEntity"),
    ],
)
def test_what_the_server_refuses_is_one_line_in_its_words(
    server: Server, example: Path, arguments: tuple[str, ...], message: str
) -> None:
    file = str(example / "pipeline.json")
    result = invoke("run", file, "--name", "refused", "--data", str(server.data), *arguments)
    assert result.stderr.startswith(f"passrole run: {message}: ")
    assert result.stderr.count("\n") == 1
    assert result.exit_code == 1


def test_ctrl_c_stops_watching_and_the_server_that_was_started_for_it(
    passrole: Passrole, run_arguments: list[str], tmp_path: Path
) -> None:
    CliRunner().invoke(main, ["init", "--data", str(tmp_path)])
    script = "import boto3; boto3.client('sqs').create_queue(QueueName='sagemaker-reviews')"
    made = passrole("exec", "--data", str(tmp_path), "--", sys.executable, "-c", script)
    made.communicate(timeout=PATIENCE_SECONDS)
    process = passrole(*run_arguments, "--data", str(tmp_path))
    waiting_of(execution_of(process), tmp_path)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert f"`passrole serve --data {tmp_path}` takes the execution up again" in errors
    assert server_file.url(Config(data=tmp_path)) is None


def test_on_a_terminal_a_key_and_a_name_approve(
    passrole: Passrole, server: Server, run_arguments: list[str], queue_url: str, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    try:
        process = passrole(
            *(*run_arguments, f"--data={server.data}", f"-pQueueUrl={queue_url}", "--name=on-a-terminal"),
            f"-pResultFile={tmp_path / 'result.json'}",
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={"TERM": "xterm"},
        )
        read_until(ours, "a approve")
        os.write(ours, b"a")
        read_until(ours, "approve Review: reviewer, a text")
        os.write(ours, b"ada\r")
        told = read_until(ours, "rows = 5")
        assert "Succeeded after" in told
        assert "Publish.rows" in told
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        os.close(theirs)
        os.close(ours)
    assert json.loads((tmp_path / "result.json").read_text())["reviewed_by"] == "ada"


def read_until(descriptor: int, text: str) -> str:
    """What a terminal shows up to the text."""
    seen, until = "", time.monotonic() + PATIENCE_SECONDS
    while text not in seen:
        assert select.select([descriptor], [], [], until - time.monotonic())[0], seen
        seen += os.read(descriptor, 4096).decode(errors="replace")
    return seen


@pytest.mark.parametrize("token", ["nosuch", "abcdefghij"])
@pytest.mark.parametrize("answer", [("approve",), ("reject", "--reason", "no")])
def test_a_token_under_which_nothing_waits_is_told_so(
    server: Server, answer: tuple[str, ...], token: str
) -> None:
    command, *options = answer
    result = invoke(command, token, *options, "--data", str(server.data))
    assert result.exit_code == 1
    assert result.stderr == (
        f"passrole {command}: no callback `{token}` waits for an answer; "
        "`passrole callbacks` lists those that wait\n"
    )


def test_an_output_of_another_type_than_declared_is_not_sent(
    server: Server, queue_url: str, write: Callable[[str, Any], str], passrole: Passrole
) -> None:
    outputs = [{"OutputName": "threshold", "OutputType": "Float"}]
    review = {"Name": "Review", "Type": "Callback", "SqsQueueUrl": queue_url, "Arguments": {}}
    file = write("typed.json", {"Version": "2020-12-01", "Steps": [{**review, "OutputParameters": outputs}]})
    process = passrole("run", file, f"--data={server.data}")
    token = waiting_of(execution_of(process), server.data)["token"]
    wrong = invoke("approve", token, "-o", "threshold=much", "--data", str(server.data))
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "passrole approve: the output `threshold`: `much` is not a number\n",
    )
    right = invoke("approve", token, "-o", "threshold=0.8", "--data", str(server.data))
    assert (right.exit_code, right.stderr) == (0, "")
    assert process.wait(PATIENCE_SECONDS) == 0
