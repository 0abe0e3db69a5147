"""The wheel has all that passrole needs, and runs where neither the repository nor its tests are.

Nothing is downloaded: the packages that passrole depends on are those of the tests' environment.
`.ci/install` does the same with packages from an index.
"""

import json
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "passrole"
Installed = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Runs the command `passrole` of a clean environment, in an empty folder."""
    place, here = tmp_path_factory.mktemp("clean"), tmp_path_factory.mktemp("here")
    venv.EnvBuilder(symlinks=True).create(place)
    pip = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"), "install", "--no-index"]
    subprocess.run([*pip, "--no-deps", "--quiet", str(wheel)], check=True, capture_output=True)
    (site,) = place.glob("lib/python*/site-packages")
    elsewhere = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(elsewhere))

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [str(place / "bin" / "passrole"), *arguments]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(
            command, cwd=here, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    return run


def test_the_wheel_has_every_file_of_the_package_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = (path.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("*") if path.is_file())
    ours = {
        path.as_posix() for path in files if not any(part.startswith((".", "__pyc")) for part in path.parts)
    }
    assert packed == ours


def test_the_installed_command_is_the_wheels_own(installed: Installed, wheel: Path) -> None:
    done = installed("--version")
    assert (done.stdout, done.stderr) == (f"passrole {wheel.name.split('-')[1]}\n", "")


def test_the_installed_demo_runs_its_pipeline_and_is_refused(installed: Installed) -> None:
    done = installed("demo", "review")
    assert done.returncode == 0, done.stderr
    assert "the execution Succeeded, as it should" in done.stdout
    assert "is not authorized to perform: sqs:sendmessage on resource: " in done.stdout


def test_the_installed_check_reads_a_definition_and_the_managed_policy(
    installed: Installed, tmp_path: Path
) -> None:
    assert installed("demo", "--copy", str(tmp_path / "examples")).returncode == 0
    definition = str(tmp_path / "examples" / "stopping_distance" / "pipeline.json")
    done = installed("check", definition, "--managed-version", "v3", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)
