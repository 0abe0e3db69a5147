"""What a shell completes, as its script asks for it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.pipelines import daily_pipeline
from tests.conftest import Server
from tests.store import chosen

from passrole.cli import main

PROGRAM = Path(sys.executable).parent / "passrole"


class Folder:
    """A data folder without a server, with a pipeline and an execution that waits."""

    def __init__(self, folder: Path) -> None:
        server = Server(folder / "data")
        daily_pipeline.deployed(server, "orders")
        self.execution = daily_pipeline.started(server, "orders").rpartition("/")[2]
        self.token = daily_pipeline.token(
            server,
            server.client("sagemaker").list_pipeline_executions(PipelineName="orders")[
                "PipelineExecutionSummaries"
            ][0]["PipelineExecutionArn"],
        )
        sagemaker = server.client("sagemaker")
        sagemaker.create_model_package_group(ModelPackageGroupName="churn")
        for status in ("Approved", "PendingManualApproval"):
            sagemaker.create_model_package(ModelPackageGroupName="churn", ModelApprovalStatus=status)
        self.role = server.access["role_name"]
        server.stop()
        self.data = server.data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    made = Folder(tmp_path_factory.mktemp("completed"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in chosen.environment(made.data).items():
            patch.setenv(name, value)
        yield made


def completed(
    *words: str, shell: str = "bash", data: Path | None = None, cwd: Path | None = None
) -> list[str]:
    """The values for the last word of a line, by the program itself; it must print no error."""
    line = " ".join(["passrole", *words])
    count = words[-1] if shell == "fish" else str(len(words))  # fish gives the word itself
    environment = {"COMP_WORDS": line, "COMP_CWORD": count, "_PASSROLE_COMPLETE": f"{shell}_complete"}
    if data is not None:
        environment["PASSROLE_DATA"] = str(data)
    done = subprocess.run(
        [sys.executable, "-c", "from passrole.cli import main; main(prog_name='passrole')"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )
    assert done.stderr == ""
    return [value.removeprefix("plain,") for value in done.stdout.splitlines() if value]


def test_executions_are_completed_by_last_their_pipeline_and_their_id(folder: Folder) -> None:
    for command in ("show", "logs", "stop", "retry"):
        assert completed(command, "", data=folder.data) == ["last", "orders", folder.execution], command
    assert completed("show", folder.execution[:3], data=folder.data) == [folder.execution]
    assert completed("show", "orders/", data=folder.data) == [f"orders/{folder.execution}"]


def test_steps_of_the_named_execution_are_completed(folder: Folder) -> None:
    for named in ("last", "orders", folder.execution, folder.execution[:4], f"orders/{folder.execution}"):
        assert completed("logs", named, "", data=folder.data) == ["Greet", "Review"], named
    assert completed("logs", "--follow", "last", "R", data=folder.data) == ["Review"]
    assert completed("logs", "unknown", "", data=folder.data) == []


def test_pipelines_tokens_and_roles_are_completed(folder: Folder) -> None:
    assert completed("start", "", data=folder.data) == ["orders"]
    assert completed("list", "o", data=folder.data) == ["orders"]
    assert completed("approve", "", data=folder.data) == [folder.token, "churn/2"]
    assert completed("reject", "", data=folder.data) == [folder.token, "churn/2"]
    assert folder.role in completed("env", "--role", "", data=folder.data)
    assert completed("explain", "--role", folder.role[:20], data=folder.data) == [folder.role]


@chosen.of_a_file
def test_the_folder_is_the_one_that_the_line_names(folder: Folder, tmp_path: Path) -> None:
    assert completed("start", "--data", str(folder.data), "", cwd=tmp_path) == ["orders"]
    assert completed("--data", str(folder.data), "start", "", cwd=tmp_path) == ["orders"]
    assert completed("start", "", cwd=tmp_path) == []
    shutil.copytree(folder.data, tmp_path / ".passrole")
    (tmp_path / "below").mkdir()
    assert completed("start", "", cwd=tmp_path / "below") == ["orders"]


@chosen.of_a_file
@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 100])
def test_a_folder_that_cannot_be_read_completes_nothing_and_says_nothing(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "passrole.db").write_bytes(content)
    (tmp_path / "config.toml").write_text("colour = 1")
    assert completed("start", "", data=tmp_path) == []
    assert completed("show", "l", data=tmp_path) == ["last"]


def test_groups_and_packages_that_wait_for_approval_are_completed(folder: Folder) -> None:
    assert completed("models", "", data=folder.data) == ["churn"]
    for command in ("approve", "reject"):
        assert completed(command, "churn", data=folder.data) == ["churn/2"]


def test_commands_are_completed(folder: Folder) -> None:
    assert completed("st", data=folder.data) == ["start", "stop", "status"]


def test_zsh_and_fish_show_what_an_execution_is(folder: Folder) -> None:
    for shell in ("zsh", "fish"):
        told = "\n".join(completed("show", folder.execution, shell=shell, data=folder.data))
        assert folder.execution in told
        assert "orders, Executing" in told


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_says_where_it_belongs(shell: str) -> None:
    done = CliRunner().invoke(main, ["completion", shell])
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"# completion of passrole for {shell}; put it into ")
    assert f"{shell}_complete" in done.stdout


@pytest.mark.skipif(shutil.which("bash") is None or not PROGRAM.exists(), reason="no bash, or not installed")
def test_bash_completes_with_the_script(folder: Folder) -> None:
    script = CliRunner().invoke(main, ["completion", "bash"]).stdout
    typed = f'COMP_WORDS=({PROGRAM} start ""); COMP_CWORD=2; _passrole_completion {PROGRAM}'
    line = f'{typed}; echo "${{COMPREPLY[@]}}"'
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{line}"],
        env={**os.environ, "PASSROLE_DATA": str(folder.data)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("orders\n", "")
