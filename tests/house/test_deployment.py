"""The examples of a deployment: they parse, and what they name exists."""

import configparser
import dataclasses
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from passrole.cli import main
from passrole.config import Config

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/passrole"
SETTINGS = {field.name for field in dataclasses.fields(Config)}
COPIED = re.compile(r"COPY (?!--from)(.*) \S+$", re.MULTILINE)


def checked(words: list[str]) -> None:
    """Raises where the command line has a command or an option that passrole has not."""
    command = main.commands[words[0]]
    context = click.Context(command, info_name=words[0])
    command.make_parser(context).parse_args(words[1:])


def values() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
    return read


def rendered(given: dict[str, Any]) -> list[dict[str, Any]]:
    """The chart's objects, by the few of Helm's expressions that it has; another one fails."""
    text = (CHART / "templates/passrole.yaml").read_text()
    loop = re.search(
        r"\n *\{\{- range \$name, \$value := \.Values\.settings \}\}(.*?)\n *\{\{- end \}\}", text, re.S
    )
    assert loop is not None
    each = [
        loop[1].replace("{{ upper $name }}", name.upper()).replace("{{ $value | quote }}", f'"{value}"')
        for name, value in given["settings"].items()
    ]
    text = text.replace(loop[0], "".join(each))
    for block in re.findall(r"\n *\{\{- if \.Values\.\w+ \}\}.*?\n *\{\{- end \}\}", text, re.S):
        name, inside = re.match(r"\n *\{\{- if \.Values\.(\w+) \}\}(.*)\n", block, re.S).groups()  # type: ignore[union-attr]
        text = text.replace(block, inside if given[name] else "")
    text = text.replace("{{ .Release.Name }}", "mine")
    text = re.sub(r"\{\{ \.Values\.(\w+) \}\}", lambda found: str(given[found[1]]), text)
    assert "{{" not in text, text
    return list(yaml.safe_load_all(text))


def test_the_chart_starts_a_server_that_there_is() -> None:
    service, stateful = rendered(values())
    (container,) = stateful["spec"]["template"]["spec"]["containers"]
    checked(container["args"])
    named = {each["name"].removeprefix("PASSROLE_").lower() for each in container["env"]}
    assert named <= SETTINGS, named - SETTINGS
    assert service["spec"]["selector"] == stateful["spec"]["template"]["metadata"]["labels"]
    ports = {each["port"] for each in service["spec"]["ports"]}
    assert ports == {each["containerPort"] for each in container["ports"]}
    assert stateful["spec"]["replicas"] == 1
    mounted = container["volumeMounts"][0]
    (data,) = (each["value"] for each in container["env"] if each["name"] == "PASSROLE_DATA")
    assert Path(data).is_relative_to(mounted["mountPath"])
    assert mounted["name"] == stateful["spec"]["volumeClaimTemplates"][0]["metadata"]["name"]


def test_the_chart_takes_a_storage_class() -> None:
    _, stateful = rendered({**values(), "storageClass": "fast"})
    assert stateful["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"] == "fast"
    _, stateful = rendered(values())
    assert "storageClassName" not in stateful["spec"]["volumeClaimTemplates"][0]["spec"]


def test_helm_agrees(tmp_path: Path) -> None:
    try:
        ran = subprocess.run(["helm", "lint", str(CHART)], capture_output=True, text=True, cwd=tmp_path)
    except FileNotFoundError:
        pytest.skip("no helm here")
    assert ran.returncode == 0, ran.stdout


def test_the_unit_starts_a_server_and_leaves_jobs_alone() -> None:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "deploy/systemd/passrole.service")
    service = unit["Service"]
    program, *words = shlex.split(service["ExecStart"])
    assert program.endswith("/bin/passrole")
    checked(words)
    assert words[words.index("--data") + 1] == f"/var/lib/{service['StateDirectory']}"
    assert service["KillMode"] == "process"


def test_compose_starts_a_server_that_is_seen_on_loopback_alone() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    (server,) = compose["services"].values()
    checked(shlex.split(server["command"]))
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    assert {volume.partition(":")[0] for volume in server["volumes"]} == set(compose["volumes"])


def test_the_images_file_copies_what_there_is() -> None:
    text = (ROOT / "Dockerfile").read_text()
    found = [word for words in COPIED.findall(text) for word in words.split()]
    assert found and all((ROOT / word).exists() for word in found), found
    assert 'ENTRYPOINT ["passrole"]' in text
    checked(["serve"])
