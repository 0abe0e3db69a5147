"""Clients of other languages than Python's SDK, each as its users run it; one that is missing is skipped."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import Server

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PYTHON = ROOT / ".venv-clients" / "bin" / "python"
MODULES = ROOT / ".venv-clients" / "node" / "node_modules"
MADE_BY = "`make test-clients` installs it"


def environment(server: Server, folder: Path, client: str | None = None) -> dict[str, str]:
    """What `passrole env` sets, a role for pipelines, and a folder for what clients remember."""
    asked = ["--for", client] if client else []
    command = [
        sys.executable,
        "-m",
        "passrole",
        "env",
        "--data",
        str(server.data),
        "--format",
        "json",
        *asked,
    ]
    values: dict[str, str] = json.loads(subprocess.check_output(command))
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return (
        bare | values | {"ROLE_ARN": server.access["role_arn"], "AWS_CONFIG_FILE": str(folder / "aws.config")}
    )


def run(folder: Path, command: list[str], variables: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def installed(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed: Debian's package has it")
    return found


def aws_cli_2() -> str:
    for found in filter(None, (shutil.which("aws"), shutil.which("aws", path="/usr/bin"))):
        told = subprocess.run([found, "--version"], capture_output=True, text=True)
        if told.stdout.startswith("aws-cli/2"):
            return found
    pytest.skip("version 2 of the AWS CLI is not installed: Debian's package awscli has it")


@pytest.mark.slow
def test_aws_cli_2_runs_a_pipeline_and_moves_objects(server: Server, tmp_path: Path) -> None:
    variables = environment(server, tmp_path) | {"AWS": aws_cli_2()}
    run(tmp_path, ["bash", str(HERE / "aws_cli.sh")], variables)


@pytest.mark.slow
def test_rclone_moves_files(server: Server, tmp_path: Path) -> None:
    installed("rclone")
    run(tmp_path, ["bash", str(HERE / "rclone.sh")], environment(server, tmp_path, "rclone"))


@pytest.mark.slow
def test_s3cmd_moves_files(server: Server, tmp_path: Path) -> None:
    installed("s3cmd")
    command = [sys.executable, "-m", "passrole", "env", "--data", str(server.data), "--for", "s3cmd"]
    (tmp_path / "passrole.s3cfg").write_bytes(subprocess.check_output(command))
    run(tmp_path, ["bash", str(HERE / "s3cmd.sh")], environment(server, tmp_path))


def test_curl_signs_by_itself(server: Server, tmp_path: Path) -> None:
    if "--aws-sigv4" not in subprocess.check_output([installed("curl"), "--help", "all"], text=True):
        pytest.skip("this curl is older than 7.75 and signs nothing")
    run(tmp_path, ["bash", str(HERE / "curl.sh")], environment(server, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("script", ["pipeline.cjs", "objects.cjs"])
def test_javascript_runs_a_pipeline_and_moves_objects(server: Server, tmp_path: Path, script: str) -> None:
    node = installed("node")
    if not MODULES.is_dir():
        pytest.skip(f"the SDK for JavaScript is not installed: {MADE_BY}")
    run(tmp_path, [node, str(HERE / script)], environment(server, tmp_path) | {"NODE_PATH": str(MODULES)})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "script", "client"),
    [
        ("pyarrow", "pyarrow_tables.py", None),
        ("polars", "polars_tables.py", "polars"),
        ("deltalake", "delta_tables.py", "deltalake"),
        ("s3fs", "s3fs_files.py", None),
    ],
)
def test_what_reads_tables_in_c_and_rust_works(
    server: Server, tmp_path: Path, module: str, script: str, client: str | None
) -> None:
    if not PYTHON.exists():
        pytest.skip(f"{module} is not installed: {MADE_BY}")
    run(tmp_path, [str(PYTHON), str(HERE / script)], environment(server, tmp_path, client))
