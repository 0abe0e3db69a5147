"""The examples of a deployment: they parse, and what they name exists."""

import configparser
import dataclasses
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pytest
import yaml

from passrole.cli import main
from passrole.config import Config, load
from passrole.gateway.own_operations import PREFIX

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/passrole"
HEALTH = f"{PREFIX}health"
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
    assert f"cat {data}/credentials.json\n" in (CHART / "values.yaml").read_text()
    assert mounted["name"] == stateful["spec"]["volumeClaimTemplates"][0]["metadata"]["name"]


def test_the_chart_starts_several_servers_with_what_they_share_from_a_secret() -> None:
    _, stateful = rendered({**values(), "replicas": 3, "secret": "shared"})
    assert stateful["spec"]["replicas"] == 3
    (container,) = stateful["spec"]["template"]["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": "shared"}}]
    explained = (CHART / "values.yaml").read_text()
    named = {name.lower() for name in re.findall(r"\bPASSROLE_([A-Z0-9_]+)", explained)} - {""}
    assert {"store", "s3_endpoint", "s3_access_key_id", "s3_secret_access_key"} <= named <= SETTINGS
    _, stateful = rendered(values())
    assert "envFrom" not in stateful["spec"]["template"]["spec"]["containers"][0]


def test_the_chart_lets_kubernetes_set_no_variables_for_services() -> None:
    """For a release called `passrole` one would be PASSROLE_PORT, which is a setting."""
    _, stateful = rendered(values())
    assert stateful["spec"]["template"]["spec"]["enableServiceLinks"] is False


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


CLUSTER = ROOT / "deploy/compose"


def test_compose_starts_two_servers_that_share_a_database_and_an_s3() -> None:
    """What `docker compose config` checks, and that both sides of each connection say the same."""
    compose = yaml.safe_load((CLUSTER / "compose.yaml").read_text())
    services = compose["services"]
    nodes = {name: each for name, each in services.items() if name.startswith("node-")}
    assert len(nodes) == 2
    for node in nodes.values():
        checked(shlex.split(node["command"]))
        assert (CLUSTER / node["build"] / "Dockerfile").is_file()
        environment = node["environment"]
        assert {name.removeprefix("PASSROLE_").lower() for name in environment} <= SETTINGS
        load({**environment, "PASSROLE_DATA": "nowhere"})  # each value can be used
        assert set(node["depends_on"]) <= set(services)
    assert len({volume for node in nodes.values() for volume in node["volumes"]}) == 2
    volumes = {each.partition(":")[0] for service in services.values() for each in service.get("volumes", ())}
    assert {name for name in volumes if not name.startswith(".")} == set(compose["volumes"])
    assert all((CLUSTER / name).is_file() for name in volumes if name.startswith("."))
    environment = nodes["node-1"]["environment"]
    store, database = urlsplit(environment["PASSROLE_STORE"]), services["database"]["environment"]
    assert store.hostname in services
    assert (store.username, store.password) == (database["POSTGRES_USER"], database["POSTGRES_PASSWORD"])
    s3, objects = urlsplit(environment["PASSROLE_S3_ENDPOINT"]), services["objects"]["environment"]
    assert s3.hostname in services
    assert environment["PASSROLE_S3_ACCESS_KEY_ID"] == objects["ROOT_ACCESS_KEY"]
    assert environment["PASSROLE_S3_SECRET_ACCESS_KEY"] == objects["ROOT_SECRET_KEY"]
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert ports == ["127.0.0.1:4566:4566"]
    assert environment["PASSROLE_PUBLIC_URL"] == f"http://{ports[0].rpartition(':')[0]}"


def test_the_balancer_knows_the_nodes(tmp_path: Path) -> None:
    text = (CLUSTER / "haproxy.cfg").read_text()
    compose = yaml.safe_load((CLUSTER / "compose.yaml").read_text())
    servers = dict(re.findall(r"^    server (\S+) (\S+)$", text, re.MULTILINE))
    nodes = {name for name in compose["services"] if name.startswith("node-")}
    assert servers == {name: f"{name}:{Config.port}" for name in nodes}
    changes = re.findall(r"^ *(?:option forwardfor|http-\w+ .*|reqrep .*)$", text, re.MULTILINE)
    assert [each.strip() for each in changes] == [  # what is signed stays; what is believed is always written
        "option forwardfor",
        "http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]",
    ]
    try:
        ran = subprocess.run(
            ["haproxy", "-c", "-f", str(CLUSTER / "haproxy.cfg")], capture_output=True, text=True
        )
    except FileNotFoundError:
        pytest.skip("no haproxy here")
    assert ran.returncode == 0, ran.stderr


CLUSTER_PAGE = (ROOT / "docs/howto/run-a-cluster.md").read_text()


def test_the_page_on_clusters_has_commands_and_settings_that_there_are() -> None:
    """make chaos runs such a cluster; this finds what is misspelt on the page."""
    commands = re.findall(r"(?:^|=|-- )/opt/passrole/bin/passrole (.*)$", CLUSTER_PAGE, re.MULTILINE)
    assert {shlex.split(each)[0] for each in commands} == {"serve", "status"}
    for each in commands:
        checked(shlex.split(each))
    (text,) = re.findall(
        r"/etc/passrole/environment <<'END'\n(.*?)^END$", CLUSTER_PAGE, re.DOTALL | re.MULTILINE
    )
    given = dict(line.split("=", 1) for line in text.splitlines())
    config = load({**given, "PASSROLE_DATA": "nowhere"})
    assert config.host != Config.host and config.store and config.s3_endpoint
    assert f"AWS_ENDPOINT_URL={config.public_url}" in CLUSTER_PAGE
    assert {name.removeprefix("PASSROLE_").lower() for name in given} <= SETTINGS
    unit = (ROOT / "deploy/systemd/passrole.service").read_text()
    assert "EnvironmentFile=-/etc/passrole/environment" in unit
    named = {name.lower() for name in re.findall(r"\bPASSROLE_([A-Z0-9_]+)", CLUSTER_PAGE)}
    assert named <= SETTINGS
    assert set(re.findall(r"^curl .*http://[\d.]+:\d+(\S+)$", CLUSTER_PAGE, re.MULTILINE)) == {HEALTH}
    assert f"option httpchk GET {PREFIX}ready\n" in (CLUSTER / "haproxy.cfg").read_text()
    servers = re.findall(r"^    server (\S+) (\S+)$", CLUSTER_PAGE, re.MULTILINE)
    nodes = re.findall(r"10\.0\.0\.2[1-9]", CLUSTER_PAGE.split("| nodes |")[1].splitlines()[0])
    assert [address for _, address in servers] == [f"{node}:{Config.port}" for node in nodes]


def test_the_page_on_clusters_has_a_unit_for_objects_whose_folder_systemd_makes() -> None:
    (text,) = re.findall(r"\.service <<'END'\n(.*?)^END$", CLUSTER_PAGE, re.DOTALL | re.MULTILINE)
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    service = unit["Service"]
    words = shlex.split(service["ExecStart"])
    data = words[words.index("--data") + 1]
    assert Path(data).parent == Path("/var/lib", service["StateDirectory"])
    assert f"\ncat {data}/credentials.json\n" in CLUSTER_PAGE
    address = f"{words[words.index('--host') + 1]}:{words[words.index('--port') + 1]}"
    assert f"PASSROLE_S3_ENDPOINT=http://{address}\n" in CLUSTER_PAGE
    assert f"http://{address}{HEALTH}\n" in CLUSTER_PAGE
    assert f" --home-dir /var/lib/{service['StateDirectory']} " in CLUSTER_PAGE


def test_the_images_file_copies_what_there_is() -> None:
    text = (ROOT / "Dockerfile").read_text()
    found = [word for words in COPIED.findall(text) for word in words.split()]
    assert found and all((ROOT / word).exists() for word in found), found
    assert 'ENTRYPOINT ["passrole"]' in text
    checked(["serve"])
