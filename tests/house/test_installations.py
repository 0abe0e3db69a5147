"""Dockerfile, compose file, devcontainer and GitHub action name commands, files and targets that exist.

What they do is tried where there is an engine, an image to begin with, or GitHub; here their parts are.
"""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from passrole.cli import main

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
DEVCONTAINER: dict[str, Any] = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
REFUSED = "https://sqs.us-east-1.amazonaws.com/111122223333/reviews"  # its name has no `sagemaker`


def accepted(words: list[str]) -> bool:
    """Whether the command line has this command with these options; raises click's error otherwise."""
    command = main.commands[words[0]]
    command.make_parser(click.Context(command)).parse_args(words[1:])
    return True


def test_a_server_in_the_image_listens_on_loopback_until_it_is_asked_for_more() -> None:
    assert "HOST" not in DOCKERFILE.replace("HTTP", "") and "0.0.0.0" not in DOCKERFILE
    started = json.loads(re.findall(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)[-1])
    assert started == ["serve"] and accepted(started)
    assert "\nUSER passrole\n" in DOCKERFILE


def test_the_compose_file_publishes_the_port_on_the_machines_loopback_alone() -> None:
    service = COMPOSE["services"]["passrole"]
    assert accepted(shlex.split(service["command"]))
    assert [each.rpartition(":")[0].partition(":")[0] for each in service["ports"]] == ["127.0.0.1"]
    assert service["volumes"] == ["data:/data"] and "PASSROLE_DATA=/data" in DOCKERFILE


def test_what_the_dockerfile_copies_exists_and_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for word in line.split()[:-1]
    ]
    assert copied
    assert [each for each in copied if not (ROOT / each).exists() or f"!{each}" not in ignored] == []


def test_the_pythons_of_the_image_and_the_action_are_among_those_that_the_package_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {each.rpartition(" ")[2] for each in project["classifiers"] if "Python :: 3." in each}
    used = {*re.findall(r"^FROM python:([\d.]+)", DOCKERFILE, re.MULTILINE)}
    used.add(ACTION["inputs"]["python-version"]["default"])
    assert used <= named


def test_the_devcontainer_builds_with_a_target_of_the_makefile() -> None:
    make, target = DEVCONTAINER["postCreateCommand"].split()
    assert make == "make"
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_action_takes_nothing_of_a_workflow_into_its_scripts() -> None:
    """https://docs.github.com/en/actions/reference/security/secure-use: a script injection needs `${{`."""
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert scripts and [each for each in scripts if "${{" in each] == []


@pytest.mark.parametrize("more, code", [("", 0), (f"-p QueueUrl={REFUSED}", 1)])
def test_the_action_checks_with_the_options_that_a_workflow_gives(
    tmp_path: Path, more: str, code: int
) -> None:
    (script,) = [step["run"] for step in ACTION["runs"]["steps"] if step.get("name") == "check"]
    folder = tmp_path / "passrole" / "bin"
    folder.mkdir(parents=True)
    (folder / "passrole").write_text(f'#!/bin/sh\nexec {sys.executable} -m passrole "$@"\n')
    (folder / "passrole").chmod(0o755)
    examples = ROOT / "src/passrole/examples"
    given = {
        "FORMAT": ACTION["inputs"]["format"]["default"],
        "ARGUMENTS": f"--managed-version v3 {more}",
        "PIPELINES": f"{examples}/stopping_distance/*.json",
    }
    environment = {
        **given,
        "RUNNER_TEMP": str(tmp_path),
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT / "src"),
    }
    done = subprocess.run(
        ["bash", "-e", "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (code, "")
    assert ("::error " in done.stdout) == bool(code)
