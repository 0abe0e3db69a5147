"""The verbs that read, at a server and on a folder without one."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.cli.pipelines import daily_pipeline
from tests.conftest import Server
from tests.eventually import eventually
from tests.store import chosen

from passrole import trees
from passrole.cli import main


class Folder:
    """A data folder with an execution that succeeded, one that failed and one that waits, oldest first."""

    def __init__(self, server: Server) -> None:
        self.server, self.data = server, server.data
        daily_pipeline.deployed(server, "daily")
        sagemaker = server.client("sagemaker")
        self.succeeded, self.failed = (
            daily_pipeline.started(server, "daily", Name=name) for name in ("ada", "bob")
        )
        sagemaker.send_pipeline_execution_step_success(
            CallbackToken=daily_pipeline.token(server, self.succeeded),
            OutputParameters=[{"Name": "by", "Value": "eve"}],
        )
        sagemaker.send_pipeline_execution_step_failure(
            CallbackToken=daily_pipeline.token(server, self.failed), FailureReason="the sample is too small"
        )
        for each in (self.succeeded, self.failed):
            server.finished(each)
        self.waiting = daily_pipeline.started(server, "daily", Name="cy")
        self.token = daily_pipeline.token(server, self.waiting)
        eventually(lambda: "hello cy" in self.passrole("logs", self.waiting).stdout)

    def passrole(self, *arguments: str) -> Result:
        command, *rest = arguments
        return CliRunner().invoke(main, [command, "--data", str(self.data), *rest])

    def json(self, *arguments: str) -> Any:
        done = self.passrole(*arguments, "--format", "json")
        assert (done.exit_code, done.stderr) == (0, "")
        return json.loads(done.stdout)

    def files(self) -> dict[str, tuple[int, int]]:
        """Size and time of each file but those that SQLite makes beside a database that it reads."""
        found = (path for path in trees.files(self.data) if path.is_file() and not path.name.endswith("-shm"))
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


def id_of(arn: str) -> str:
    return arn.rpartition("/")[2]


@pytest.fixture(scope="module", params=["running", "killed", "stopped"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    server = Server(tmp_path_factory.mktemp(request.param) / "data")
    made = Folder(server)
    if request.param != "running":
        (server.kill if request.param == "killed" else server.stop)()
    yield made
    if server.process.poll() is None:
        server.stop()


def is_at_rest(folder: Folder) -> bool:
    return folder.server.process.poll() is not None


def test_pipelines_are_listed_with_their_newest_execution(folder: Folder) -> None:
    (line,) = folder.passrole("list").stdout.splitlines()
    assert line.split("  ")[:3] == ["daily", id_of(folder.waiting), "Executing"]
    (pipeline,) = folder.json("list")["PipelineSummaries"]
    assert (pipeline["PipelineName"], pipeline["PipelineArn"]) == (
        "daily",
        folder.waiting.partition("/execution/")[0],
    )
    assert pipeline["LastExecutionTime"].endswith("+00:00")


def test_executions_are_listed_newest_first_with_the_reason_of_a_failure(folder: Folder) -> None:
    lines = folder.passrole("list", "daily").stdout.splitlines()
    assert [line.split("  ")[:2] for line in lines] == [
        [id_of(folder.waiting), "Executing"],
        [id_of(folder.failed), "Failed"],
        [id_of(folder.succeeded), "Succeeded"],
    ]
    assert lines[1].endswith("Step failure: One or multiple steps failed.")
    listed = folder.json("list", "daily")["PipelineExecutionSummaries"]
    assert [each["PipelineExecutionArn"] for each in listed] == [
        folder.waiting,
        folder.failed,
        folder.succeeded,
    ]


def test_a_list_that_is_cut_says_so(folder: Folder) -> None:
    done = folder.passrole("list", "daily", "--limit", "2")
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == "these are the newest 2; --limit shows more\n"
    assert folder.passrole("list", "daily", "--limit", "3").stderr == ""


def test_an_execution_is_shown_with_its_steps_and_parameters(folder: Folder) -> None:
    shown = folder.json("show", folder.failed)
    assert (shown["PipelineExecutionArn"], shown["PipelineExecutionStatus"]) == (folder.failed, "Failed")
    assert shown["PipelineParameters"] == [{"Name": "Name", "Value": "bob"}]
    assert [(step["StepName"], step["StepStatus"]) for step in shown["PipelineExecutionSteps"]] == [
        ("Greet", "Succeeded"),
        ("Review", "Failed"),
    ]
    assert shown["PipelineExecutionSteps"][1]["FailureReason"] == "the sample is too small"
    assert "ResponseMetadata" not in shown


def test_a_failure_is_shown_with_its_reason_and_what_to_type_next(folder: Folder) -> None:
    lines = folder.passrole("show", folder.failed).stdout.splitlines()
    assert lines[0] == f"daily/{id_of(folder.failed)}  Failed"
    assert "  parameter   Name=bob" in lines
    (review,) = (line for line in lines if line.startswith("Review  Failed"))
    assert review.endswith("the sample is too small")
    assert lines[lines.index("next") + 1].startswith(f"  passrole retry {id_of(folder.failed)}  ")


def test_outputs_are_shown_and_nothing_is_left_to_do_after_a_success(folder: Folder) -> None:
    told = folder.passrole("show", folder.succeeded).stdout
    assert "  Greet.length = 3\n  Review.by = eve\n" in told
    assert "\nnext\n" not in told


def test_a_callback_that_waits_is_shown_with_the_commands_that_answer_it(folder: Folder) -> None:
    told = folder.passrole("show", "last").stdout
    assert f"waits for an answer to {folder.token}" in told
    assert f"  passrole approve {folder.token}  # let Review succeed" in told
    assert (
        "passrole serve" in told.split("\nnext\n")[1],
        "passrole stop" in told.split("\nnext\n")[1],
    ) == ((True, False) if is_at_rest(folder) else (False, True))


def test_the_exit_status_of_an_execution_is_for_scripts(folder: Folder) -> None:
    codes = [
        folder.passrole("show", arn, "--exit-status").exit_code
        for arn in (folder.succeeded, folder.failed, folder.waiting)
    ]
    assert codes == [0, 1, 3]
    assert folder.passrole("show", folder.failed).exit_code == 0


def test_an_execution_has_several_names(folder: Folder) -> None:
    whole = id_of(folder.failed)
    others = [id_of(folder.succeeded), id_of(folder.waiting)]
    start = next(whole[:n] for n in range(1, 13) if not any(other.startswith(whole[:n]) for other in others))
    for name in (folder.failed, whole, start, f"daily/{whole}", f"daily/{start}"):
        assert folder.json("show", name)["PipelineExecutionArn"] == folder.failed, name
    for name in ("last", "daily"):
        assert folder.json("show", name)["PipelineExecutionArn"] == folder.waiting, name


@pytest.mark.parametrize("name", ["nosuch", "nosuch/abc", "daily/nosuch", "daily/", ""])
def test_a_name_of_nothing_is_misuse_and_says_where_to_look(folder: Folder, name: str) -> None:
    done = folder.passrole("show", name)
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "`passrole list` shows what there is" in done.stderr


def test_the_state_of_the_folder(folder: Folder) -> None:
    found = folder.json("status")
    assert found["server"] == (
        {"running": False, "url": None, "pid": None, "only": None}
        if is_at_rest(folder)
        else {"running": True, "url": folder.server.url, "pid": folder.server.process.pid, "only": None}
    )
    assert found["data"] == str(folder.data.resolve())
    assert (found["pipelines"], found["executions"]) == (1, {"Executing": 1, "Failed": 1, "Succeeded": 1})
    assert [each["PipelineExecutionArn"] for each in found["running"]] == [folder.waiting]
    assert [each["token"] for each in found["callbacks"]] == [folder.token]
    assert (found["jobs"], found["clusters"], found["endpoints"]) == ([], [], [])
    if chosen.IS_POSTGRES:
        assert "database" not in found["sizes"]
    else:
        assert found["sizes"]["database"] >= (folder.data / "passrole.db").stat().st_size
    assert found["sizes"]["total"] == pytest.approx(trees.bytes_in(folder.data), abs=200_000)


def test_the_state_is_told_to_people_and_its_exit_status_to_scripts(folder: Folder) -> None:
    told = folder.passrole("status")
    assert told.exit_code == 0
    assert ("none runs; `passrole serve` starts one" in told.stdout) == is_at_rest(folder)
    assert f"passrole approve {folder.token}" in told.stdout
    assert "1 Executing, 1 Failed, 1 Succeeded" in told.stdout
    assert folder.passrole("status", "--exit-status").exit_code == (3 if is_at_rest(folder) else 0)


def test_logs_and_callbacks_are_read_too(folder: Folder) -> None:
    assert "Greet  hello bob" in folder.passrole("logs", id_of(folder.failed)).stdout
    assert [each["token"] for each in folder.json("callbacks")] == [folder.token]
    cached = folder.passrole("explain", "--cache", "last", "Greet")
    assert (cached.exit_code, cached.stderr) == (1, "")
    assert "Lambda step is never reused" in cached.stdout
    role = folder.server.access["role_name"]
    asked = folder.passrole("explain", "--role", role, "--action", "sqs:SendMessage", "--resource", "*")
    assert (asked.exit_code, asked.stderr) == (1, "")


def test_logs_of_what_does_not_go_on_are_not_followed_for_ever(folder: Folder) -> None:
    if is_at_rest(folder):
        done = folder.passrole("logs", "--follow", "last")
        assert "hello cy" in done.stdout
        assert done.stderr == "no server runs, so nothing more comes; `passrole serve` continues\n"


def test_looking_at_a_folder_leaves_it_as_it_is(folder: Folder) -> None:
    if is_at_rest(folder):
        before = folder.files()
        for command in (("list",), ("show", "last"), ("status",), ("callbacks",), ("logs", "last")):
            assert folder.passrole(*command).exit_code == 0
        assert folder.files() == before


def test_a_folder_of_an_older_or_newer_passrole_says_what_to_do(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert CliRunner().invoke(main, ["init", "--data", str(data)]).exit_code == 0
    for version, advice in ((1, "`passrole serve` brings it up to date"), (999, "update passrole")):
        with sqlite3.connect(data / "passrole.db") as database:
            database.execute(f"PRAGMA user_version={version}")
        database.close()
        done = CliRunner().invoke(main, ["list", "--data", str(data)])
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
        assert advice in done.stderr


def test_a_folder_without_a_database_is_told_in_one_line(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert CliRunner().invoke(main, ["init", "--data", str(data)]).exit_code == 0
    (data / "passrole.db").unlink()
    done = CliRunner().invoke(main, ["status", "--data", str(data)])
    assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
    assert "cannot be opened" in done.stderr
