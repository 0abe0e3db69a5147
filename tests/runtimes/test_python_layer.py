"""A virtual environment of a job's own upon the user's."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from tests.runtimes.package_index import wheel

from passrole.runtimes import python_layer

VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """An environment without pip, as uv makes them, with a package `old` 1."""
    place = tmp_path / "user"
    venv.EnvBuilder(symlinks=True).create(place)
    wheel(tmp_path, "old", "1", "value = 1").rename(tmp_path / "old-1-py3-none-any.whl")
    with zipfile.ZipFile(tmp_path / "old-1-py3-none-any.whl") as archive:
        archive.extractall(place / "lib" / VERSION / "site-packages")
    return place


def _run(layer: Path, *words: str, code: int = 0) -> str:
    environment = {
        "PATH": f"{layer / 'bin'}:{os.defpath}",
        "PIP_NO_INDEX": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout.strip()


def _tree(folder: Path) -> list[str]:
    return sorted(str(each) for each in folder.rglob("*"))


def test_pip_installs_into_the_layer_and_leaves_the_users_environment_as_it_is(
    tmp_path: Path, user: Path
) -> None:
    before, layer = _tree(user), tmp_path / "layer"
    assert python_layer.create(layer, user)
    wheel(tmp_path, "fresh", "2", "value = 2")
    wheel(tmp_path, "old", "3", "value = 3")
    _run(layer, "pip", "install", "--find-links", str(tmp_path), "fresh", "old")
    assert _run(layer, "python", "-c", "import old, fresh; print(old.value, fresh.value)") == "1 2"
    _run(layer, "python", "-m", "pip", "install", "--find-links", str(tmp_path), "old==3")
    assert _run(layer, "python3", "-c", "import old; print(old.value)") == "3"
    assert _run(user, "python", "-c", "import old; print(old.value)") == "1"
    assert _tree(user) == before


def test_what_the_user_has_needs_no_index(tmp_path: Path, user: Path) -> None:
    python_layer.create(tmp_path / "layer", user)
    assert "already satisfied" in _run(tmp_path / "layer", "pip", "install", "old")
    _run(tmp_path / "layer", "pip", "install", "missing", code=1)


def test_a_layer_can_be_shown_at_another_path(tmp_path: Path, user: Path) -> None:
    python_layer.create(tmp_path / "layer", user)
    elsewhere = (tmp_path / "layer").rename(tmp_path / "elsewhere")
    assert _run(elsewhere, "python", "-c", "import sys, old; print(sys.prefix)") == str(elsewhere)
    assert "already satisfied" in _run(elsewhere, "pip", "install", "old")


def test_an_installation_is_an_environment_too(tmp_path: Path) -> None:
    installation = Path(sys.base_prefix)
    python_layer.create(tmp_path / "layer", installation)
    told = _run(tmp_path / "layer", "python", "-c", "import sys; print(sys.prefix, sys.base_prefix)")
    assert told == f"{tmp_path / 'layer'} {installation}"
    wheel(tmp_path, "fresh", "2", "value = 2")
    _run(tmp_path / "layer", "pip", "install", "--find-links", str(tmp_path), "fresh")
    assert _run(tmp_path / "layer", "python", "-c", "import fresh; print(fresh.value)") == "2"


def test_without_a_python_there_is_no_layer(tmp_path: Path) -> None:
    assert not python_layer.create(tmp_path / "layer", tmp_path)
    assert not (tmp_path / "layer").exists()


@pytest.mark.parametrize("where", ["user/pip.conf", "home/.config/pip/pip.conf", "home/.pip/pip.conf"])
def test_pip_keeps_the_users_settings(
    tmp_path: Path, user: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / where).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / where).write_text("[global]\nindex-url = http://127.0.0.1:1/simple\n")
    python_layer.create(tmp_path / "layer", user)
    told = _run(tmp_path / "layer", "pip", "config", "get", "global.index-url")
    assert told == "http://127.0.0.1:1/simple"


def test_a_layer_upon_another_sees_that_first(tmp_path: Path, user: Path) -> None:
    kept, layer = tmp_path / "kept", tmp_path / "layer"
    python_layer.create(kept, user)
    wheel(tmp_path, "old", "3", "value = 3")
    _run(kept, "python", "-m", "pip", "install", "--find-links", str(tmp_path), "old==3")
    python_layer.create(layer, user, kept)
    assert _run(layer, "python", "-c", "import old; print(old.value)") == "3"
    assert "already satisfied" in _run(layer, "pip", "install", "old==3")
