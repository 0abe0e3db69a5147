"""kill -9 over endpoints: what serves is found again, what was begun comes to its end, and nothing is left.

`PASSROLE_KILLS=100` kills more often, `PASSROLE_SEED=1` at other moments.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.crash.test_kill_with_jobs import inside
from tests.eventually import eventually
from tests.services.sagemaker.hosting.conftest import Host

KILLS = int(os.environ.get("PASSROLE_KILLS", "8"))
SEED = int(os.environ.get("PASSROLE_SEED", "7"))
COUNTS = """
    import itertools, json

    numbers = itertools.count(1)

    def model_fn(model_dir):
        return json.load(open(model_dir + "/factor.json"))

    def predict_fn(data, factor):
        return [factor, next(numbers)]

    def input_fn(body, content_type):
        return body

    def output_fn(prediction, accept):
        return json.dumps(prediction), "application/json"
    """
"""A model that tells its factor, and how often its program was asked."""

_LOADED = "return json.load("
_WAITED = "while not os.path.exists({path!r}): time.sleep(0.01)"
HELD = COUNTS.replace("import itertools", "import os, time, itertools").replace(
    f"        {_LOADED}", f"        {_WAITED}\n        {_LOADED}"
)
"""The same, loaded once a file is there."""


@pytest.fixture
def killed(tmp_path: Path, sandboxed: None) -> Iterator[Server]:
    server = Server(tmp_path / "data")
    yield server
    server.stop()


def programs(server: Server) -> list[str]:
    """The model servers that run, by the instances' folders."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if words[0] == "/bin/sh" and any("/jobs/endpoint/" in word for word in words[3:4]):
                found.append(words[3])
    return sorted(each for each in found if each.startswith(str(server.data.resolve())))


def answered(host: Host, name: str) -> list[float]:
    """What the endpoint answers, once it does."""

    def ask() -> list[float] | None:
        try:
            answer: list[float] = host.ask(name)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ServiceUnavailable", error
            return None
        return answer

    return eventually(ask)


@pytest.mark.slow
def test_a_server_that_serves_is_found_again_and_none_is_started_beside(killed: Server) -> None:
    host = Host(killed)
    name = host.endpoint(host.config({"ModelName": host.model(3, COUNTS)}))
    host.in_service(name)
    assert host.ask(name) == [3, 1]
    before = programs(killed)
    killed.kill()
    assert programs(killed) == before
    killed.start()
    assert answered(host, name) == [3, 2]
    assert programs(killed) == before
    assert host.in_service(name)["EndpointStatus"] == "InService"


@pytest.mark.slow
def test_a_server_that_is_stopped_ends_its_programs_and_starts_them_again(killed: Server) -> None:
    host = Host(killed)
    name = host.endpoint(host.config({"ModelName": host.model(3, COUNTS)}))
    host.in_service(name)
    assert host.ask(name) == [3, 1]
    killed.stop()
    assert programs(killed) == []
    killed.start()
    assert answered(host, name) == [3, 1]
    assert "it is started again" not in host.printed(name)


@pytest.mark.slow
def test_an_update_and_a_deletion_go_on_after_a_kill(killed: Server, tmp_path: Path) -> None:
    host, gate = Host(killed), tmp_path / "go"
    name = host.endpoint(host.config({"ModelName": host.model(3, COUNTS)}))
    host.in_service(name)
    held = HELD.replace("{path!r}", repr(str(gate)))
    config = host.config({"ModelName": host.model(4, held)})
    host.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    eventually(lambda: len(programs(killed)) == 2)
    killed.kill()
    killed.start()
    assert answered(host, name)[0] == 3
    gate.touch()
    assert host.in_service(name)["EndpointConfigName"] == config
    assert answered(host, name)[0] == 4
    eventually(lambda: len(programs(killed)) == 1)
    host.sagemaker.delete_endpoint(EndpointName=name)
    killed.kill()
    killed.start()
    eventually(lambda: not host.exists(name))
    eventually(lambda: programs(killed) == [])
    home = killed.data / "jobs/endpoint" / killed.account / killed.region / name
    assert not home.exists()


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_random_kills_leave_no_program_behind_and_none_twice(killed: Server, tmp_path: Path) -> None:
    host, chance = Host(killed), random.Random(SEED)
    models = [host.model(factor, COUNTS) for factor in (1, 2)]
    configs = [host.config({"ModelName": each}) for each in models]
    name, number = host.endpoint(configs[0]), 0
    for _ in range(KILLS):
        if host.exists(name):
            status = host.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
            if status == "InService" and chance.random() < 0.3:
                host.sagemaker.delete_endpoint(EndpointName=name)
            elif status == "InService":
                number += 1
                host.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=configs[number % 2])
        else:
            name, number = host.endpoint(configs[0]), 0
        time.sleep(chance.uniform(0.0, 1.5))
        killed.kill()
        killed.start()
    if (
        not host.exists(name)
        or host.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Deleting"
    ):
        eventually(lambda: not host.exists(name))
        name, number = host.endpoint(configs[0]), 0
    host.in_service(name)
    assert answered(host, name)[0] == 1 + number % 2
    eventually(lambda: len(programs(killed)) == 1, seen=lambda: programs(killed))
    host.gone(name)
    eventually(lambda: programs(killed) == [])
    killed.stop()
    eventually(lambda: not inside(tmp_path), seen=lambda: inside(tmp_path))
    killed.start()
