"""Where the programs that AWS's SDKs make have what they install."""

import io
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from passrole.runtimes import requirements

DRIVER = "/opt/ml/input/data/sagemaker_remote_function_bootstrap/job_driver.sh"
PANDAS = b"pandas>=2\n"


def _function(*options: str, settings: str = '{"dependency_file": "sdk_x.txt"}') -> list[str]:
    return ["/bin/bash", DRIVER, "--region", "us-east-1", "--dependency_settings", settings, *options]


def _archive(path: Path, name: str, content: bytes = PANDAS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for each, text in (("train.py", b""), (name, content)):
            member = tarfile.TarInfo(each)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    return path


def _file(path: Path, content: bytes = PANDAS) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["requirements.txt", "./requirements.txt"])
def test_script_mode_has_them_in_its_archive(tmp_path: Path, name: str) -> None:
    found = requirements.of_script(_archive(tmp_path / "code.tar.gz", name))
    assert found is not None and found.text == PANDAS


@pytest.mark.parametrize(
    ("place", "submitted"),
    [
        ("model/code", ""),
        ("model/code", "/opt/ml/model/code"),
        ("model/src", "/opt/ml/model/src"),
        ("model/code", "/opt/ml/../../etc"),
        ("model/code", "/usr/share"),
    ],
)
def test_a_model_has_them_beside_its_code(tmp_path: Path, place: str, submitted: str) -> None:
    _file(tmp_path / place / "requirements.txt")
    found = requirements.of_model(tmp_path, tmp_path / "none.tar.gz", submitted)
    assert found is not None and found.text == PANDAS


def test_code_that_was_fetched_comes_before_the_models(tmp_path: Path) -> None:
    _file(tmp_path / "model/code/requirements.txt", b"numpy")
    archive = _archive(tmp_path / "code.tar.gz", "requirements.txt")
    found = requirements.of_model(tmp_path, archive, "s3://b/code.tar.gz")
    assert found is not None and found.text == PANDAS


def test_a_link_out_of_the_models_folder_is_not_read(tmp_path: Path) -> None:
    outside = _file(tmp_path / "outside")
    (tmp_path / "ml/model/code").mkdir(parents=True)
    (tmp_path / "ml/model/code/requirements.txt").symlink_to(outside)
    assert requirements.of_model(tmp_path / "ml", tmp_path / "none.tar.gz", "") is None


def test_other_archives_have_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert requirements.of_script(tmp_path / "missing") is None
    assert requirements.of_script(_file(tmp_path / "text", b"not an archive")) is None
    assert requirements.of_script(_archive(tmp_path / "deep", "src/requirements.txt")) is None
    monkeypatch.setattr(requirements, "ARCHIVE_BYTES_MAX", 1000)
    assert requirements.of_script(_archive(tmp_path / "large", "requirements.txt")) is None


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["/bin/bash", "/opt/ml/processing/input/entrypoint/runproc.sh"], None),
        (["/bin/bash", "-c", "x && /opt/ml/input/data/sm_drivers/sm_train.sh"], "input/data/code"),
        (_function(), "input/data/pre_exec_script_and_dependencies"),
    ],
)
def test_each_program_has_them_in_its_place(tmp_path: Path, words: Sequence[str], place: str | None) -> None:
    if place is None:
        _archive(tmp_path / "processing/input/code/sourcedir.tar.gz", "requirements.txt")
    else:
        _file(tmp_path / place / ("sdk_x.txt" if words[1] == DRIVER else "requirements.txt"))
    found = requirements.of_command(words, tmp_path)
    assert found is not None and found.text == PANDAS
    assert requirements.of_command(["python", "train.py"], tmp_path) is None


def test_a_step_s_file_is_empty_for_pip_once_they_are_there(tmp_path: Path) -> None:
    folder = tmp_path / "input/data/pre_exec_script_and_dependencies"
    object_ = _file(tmp_path / "object")
    folder.mkdir(parents=True)
    (folder / "sdk_x.txt").hardlink_to(object_)
    found = requirements.of_command(_function(), tmp_path)
    assert found is not None
    found.satisfied()
    lines = (folder / "sdk_x.txt").read_text().splitlines()
    assert lines[1] == "# pandas>=2" and all(line.startswith("#") for line in lines)
    assert object_.read_bytes() == PANDAS


def test_a_function_outside_of_a_pipeline_has_them_in_its_workspace(tmp_path: Path) -> None:
    archive = tmp_path / "input/data/sm_rf_user_ws/workspace.zip"
    inside = "sagemaker_remote_function_workspace"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr(f"{inside}/module.py", "x = 1")
        made.writestr(f"{inside}/sdk_x.txt", PANDAS)
    found = requirements.of_command(_function(), tmp_path)
    assert found is not None and found.text == PANDAS
    found.satisfied()
    with zipfile.ZipFile(archive) as after:
        assert after.read(f"{inside}/module.py") == b"x = 1"
        assert all(line.startswith(b"#") for line in after.read(f"{inside}/sdk_x.txt").splitlines())


@pytest.mark.parametrize(
    "words",
    [
        _function("--job_conda_env", "mine"),
        _function(settings='{"dependency_file": null}'),
        _function(settings='{"dependency_file": "env.yml"}'),
        _function(settings='{"dependency_file": "../sdk_x.txt"}'),
        _function(settings='{"dependency_file": 3}'),
        _function(settings="[]"),
        _function(settings="no json"),
        ["/bin/bash", DRIVER],
    ],
)
def test_what_pip_does_not_install_is_none(tmp_path: Path, words: Sequence[str]) -> None:
    _file(tmp_path / "input/data/pre_exec_script_and_dependencies/sdk_x.txt")
    _file(tmp_path / "input/data/sdk_x.txt")
    assert requirements.of_command(words, tmp_path) is None


def test_commands_that_run_before_may_set_pip_up(tmp_path: Path) -> None:
    folder = tmp_path / "input/data/pre_exec_script_and_dependencies"
    _file(folder / "sdk_x.txt")
    _file(folder / "pre_exec.sh", b"pip config set global.index-url https://example.com")
    assert requirements.of_command(_function(), tmp_path) is None
