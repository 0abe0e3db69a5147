"""Layers that are kept by their content, as folders."""

import os
import sys
import venv
from pathlib import Path

import pytest

from passrole.runtimes import kept_layers


@pytest.mark.parametrize(
    "text",
    [
        b"pandas",
        b"pandas==2.2\n# others\nscipy>=1 ; python_version > '3.8'\n",
        b"--index-url https://example.com/simple\npandas[extra]~=2.0",
        b"tool @ https://example.com/tool-1.0-py3-none-any.whl",
        b"pandas --hash=sha256:0123",
    ],
)
def test_a_text_that_names_packages_can_be_kept(text: bytes) -> None:
    assert kept_layers.is_keepable(text)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"# nothing",
        b"--pre",
        b"pandas\n-r others.txt",
        b"-rothers.txt",
        b"pandas\n--requirement=others.txt",
        b"-c pins.txt\npandas",
        b"-e .",
        b"--find-links wheels\npandas",
        b"./tool.whl",
        b"wheels/tool-1.0.whl",
        b"tool-1.0.tar.gz",
        b"/opt/tool",
        b"tool @ file:///opt/tool",
        b"tool @ ./tool",
        b"git+https://example.com/tool.git",
        b"tool @ git+https://example.com/tool@main",
        b"--index-url https://${TOKEN}@example.com/simple\npandas",
        b"caf\xe9",
    ],
)
def test_a_text_that_leads_elsewhere_cannot(text: bytes) -> None:
    assert not kept_layers.is_keepable(text)


def test_the_key_is_of_the_requirements_the_settings_and_what_is_installed(tmp_path: Path) -> None:
    environment, packages = tmp_path / "env", tmp_path / "env/lib/python3.11/site-packages"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin/python").symlink_to(sys.executable)
    packages.mkdir(parents=True)
    first = kept_layers.key(b"a", {}, environment)
    assert kept_layers.key(b"a", {}, environment) == first
    others = [kept_layers.key(b"b", {}, environment), kept_layers.key(b"a", {"PIP_PRE": "1"}, environment)]
    (packages / "a-1.dist-info").mkdir()
    others.append(kept_layers.key(b"a", {}, environment))
    (environment / "bin/python").unlink()
    (environment / "bin/python").symlink_to("/usr/bin/env")
    others.append(kept_layers.key(b"a", {}, environment))
    assert len({first, *others}) == 5


def test_a_layer_that_was_only_begun_is_not_used_and_is_begun_anew(tmp_path: Path) -> None:
    user, layer = tmp_path / "user", tmp_path / "layers" / "k"
    venv.EnvBuilder(symlinks=True).create(user)
    assert kept_layers.begin(layer, user, b"a")
    (layer / "half").touch()
    assert not kept_layers.is_complete(layer)
    assert kept_layers.begin(layer, user, b"a")
    assert not (layer / "half").exists()
    kept_layers.finish(layer)
    assert kept_layers.is_complete(layer)


def test_what_nobody_has_used_for_long_is_removed(tmp_path: Path) -> None:
    now, used = 1_000_000_000.0, {"old": 40, "used": 1, "begun": 40, "beginning": 0}
    for name, days in used.items():
        layer = kept_layers.place(tmp_path, name)
        layer.mkdir(parents=True)
        mark = layer / "complete"
        if not name.startswith("begi"):
            mark.touch()
        moment = now - days * 86_400
        for path in filter(Path.exists, (mark, layer)):
            os.utime(path, (moment, moment))
    assert kept_layers.sweep(tmp_path, now) == 2
    assert {each.name for each in (tmp_path / "job-layers").iterdir()} == {"used", "beginning"}
