"""The bundled examples do what they say, on a new folder and on a used one, and leave nothing behind."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from passrole.cli import main
from passrole.cli.server.demo import FOLDER

Passrole = Callable[..., "subprocess.Popen[str]"]
Quiet = Callable[[str], str]


def test_the_demo_of_a_review_runs_and_is_refused_twice_in_a_row(
    passrole: Passrole, quiet: Quiet, tmp_path: Path
) -> None:
    for _ in range(2):
        process = passrole("demo", "review", "--data", str(tmp_path))
        told, errors = process.communicate(timeout=60)
        assert (process.returncode, quiet(errors)) == (0, "")
        assert "the execution Succeeded, as it should" in told
        assert "is not authorized to perform: sqs:sendmessage on resource: " in told
        assert "Why: " in told


def test_the_demo_on_spark_runs_and_is_refused(
    passrole: Passrole, quiet: Quiet, tmp_path: Path, spark: None
) -> None:
    process = passrole("demo", "emr", "--data", str(tmp_path))
    told, errors = process.communicate(timeout=120)
    assert (process.returncode, quiet(errors)) == (0, "")
    assert '"slowest_to_stop": "24 mph' in told
    assert "is not authorized to perform: events:DescribeRule on resource: " in told


def test_the_demo_that_trains_runs_is_taken_over_and_refused(
    passrole: Passrole, quiet: Quiet, tmp_path: Path, sandboxed: None
) -> None:
    process = passrole("demo", "train", "--data", str(tmp_path))
    told, errors = process.communicate(timeout=120)
    assert (process.returncode, quiet(errors)) == (0, "")
    assert told.count("cached, from execution ") == 3
    assert "is not authorized to perform: iam:PassRole on resource: " in told
    assert "What allows it" in told


def test_the_demo_approves_deploys_asks_and_is_refused_twice_in_a_row(
    passrole: Passrole, quiet: Quiet, tmp_path: Path, sandboxed: None
) -> None:
    for version in (1, 2):
        process = passrole("demo", "--data", str(tmp_path))
        told, errors = process.communicate(timeout=120)
        assert (process.returncode, quiet(errors)) == (0, "")
        assert f"approved; arn:aws:sagemaker:us-east-1:111122223333:model-package/abalone/{version}" in told
        assert "InService  endpoint abalone" in told
        assert "an abalone of 122 mm: 10.7 rings, and 10 were counted" in told
        assert "with an explicit deny in an identity-based policy" in told
    assert list(tmp_path.glob("jobs/endpoint/*/*/*")) == []


def test_the_demo_of_models_deletes_its_endpoint_when_it_is_interrupted(
    passrole: Passrole, tmp_path: Path, sandboxed: None
) -> None:
    process = passrole("demo", "models", "--data", str(tmp_path))
    assert process.stdout is not None
    while "Creating   endpoint abalone" not in (line := process.stdout.readline()):
        assert line, "the demo ended before its endpoint"
    process.send_signal(signal.SIGTERM)
    told, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (128 + signal.SIGTERM, False), told + errors
    assert list(tmp_path.glob("jobs/endpoint/*/*/*")) == []


@pytest.mark.skipif(
    not any(each.version.startswith("2.") for each in metadata.distributions(name="sagemaker")),
    reason="version 2 of the SageMaker SDK is not installed",
)
def test_the_definition_of_the_demo_of_models_is_what_its_program_writes(
    passrole: Passrole, tmp_path: Path
) -> None:
    folder = FOLDER / "abalone"
    role = "arn:aws:iam::111122223333:role/abalone"
    given = (
        "exec",
        "--data",
        str(tmp_path / "data"),
        "--",
        sys.executable,
        str(folder / "pipeline.py"),
        role,
    )
    process = passrole(*given, cwd=tmp_path)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    written, kept = ((place / "pipeline.json").read_text() for place in (tmp_path, folder))
    assert _CODE.sub("/code/", written) == _CODE.sub("/code/", kept)


_CODE = re.compile("/code/[0-9a-f]{64}/")
"""Where the SDK uploads code: by a digest of the code and of its path on the machine."""


def test_the_demo_leaves_nothing_behind_where_no_folder_is_named(passrole: Passrole, tmp_path: Path) -> None:
    temporary, here = tmp_path / "temporary", tmp_path / "here"
    for folder in (temporary, here):
        folder.mkdir()
    process = passrole("demo", cwd=here, env={"TMPDIR": str(temporary)})
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert [list(folder.iterdir()) for folder in (temporary, here)] == [[], []]


def test_the_demo_fails_where_something_is_not_as_expected(
    passrole: Passrole, quiet: Quiet, example: Path, tmp_path: Path
) -> None:
    lenient = tmp_path / "lenient.py"
    text = (example / "demo.py").read_text()
    lenient.write_text(
        text.replace(
            'BAD_QUEUE = "sagemaker-reviews", "reviews"', 'BAD_QUEUE = "sagemaker-reviews", "sagemaker-b"'
        )
        .replace("Path(__file__).parent", f"Path({str(example)!r})")
        .replace("WAIT_SECONDS_MAX = 30", "WAIT_SECONDS_MAX = 10")
    )
    process = passrole("exec", "--data", str(tmp_path / "data"), "--", sys.executable, str(lenient))
    _, errors = process.communicate(timeout=60)
    assert quiet(errors) == "demo: the execution is Executing and should be Failed\n"
    assert process.returncode == 1


@pytest.mark.parametrize(
    "name, setting, reason",
    [
        ("train", {"PASSROLE_SANDBOX": "none"}, "its jobs need a sandbox, and the setting says `none`"),
        ("models", {"PASSROLE_SANDBOX": "none"}, "its jobs need a sandbox, and the setting says `none`"),
        ("emr", {"PASSROLE_SPARK_HOME": "/nowhere"}, "Spark is not installed; install it with: pip install "),
    ],
)
def test_a_demo_that_this_machine_cannot_run_says_what_is_missing(
    name: str, setting: dict[str, str], reason: str
) -> None:
    result = CliRunner().invoke(main, ["demo", name], prog_name="passrole", env=setting)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"passrole demo: this machine cannot run the demo `{name}`: {reason}")
    assert result.stdout == ""


def test_without_a_sandbox_the_demo_is_the_one_that_runs_everywhere(
    passrole: Passrole, tmp_path: Path
) -> None:
    process = passrole("demo", "--data", str(tmp_path), env={"PASSROLE_SANDBOX": "none"})
    told, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert (
        "the demo `models` cannot run here (its jobs need a sandbox, and the setting says `none`)" in errors
    )
    assert "is not authorized to perform: sqs:sendmessage on resource: " in told


def test_a_copy_of_the_demos_runs_as_they_do(passrole: Passrole, tmp_path: Path) -> None:
    copy = tmp_path / "examples"
    made = passrole("demo", "--copy", str(copy))
    assert made.communicate(timeout=60) == (f"copied to {copy}; each folder has a README.md\n", "")
    assert sorted(each.name for each in copy.iterdir()) == [
        "abalone",
        "distance_by_speed",
        "stopping_distance",
        "stopping_model",
    ]
    program = str(copy / "stopping_distance" / "demo.py")
    process = passrole("exec", "--data", str(tmp_path / "data"), "--", sys.executable, program)
    process.communicate(timeout=60)
    assert process.returncode == 0
    again = passrole("demo", "--copy", str(copy))
    assert again.communicate(timeout=60) == ("", f"passrole demo: `{copy}` exists; name a new folder\n")
