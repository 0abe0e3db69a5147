"""Jobs in containers: the same world, the same end, and nothing that stays."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests import container_image
from tests.conftest import Server
from tests.container_image import IMAGE
from tests.eventually import eventually
from tests.services.sagemaker.jobs.workshop import Workshop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def contained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A workshop whose test image runs in containers."""
    container_image.engine()
    server = Server(tmp_path_factory.mktemp("contained") / "data", images=f"{IMAGE}=container")
    yield Workshop(server)
    server.stop()


def _training(workshop: Workshop, script: str, channels: Any = None, **changes: Any) -> dict[str, Any]:
    request = workshop.training(script, channels, **changes)
    request["AlgorithmSpecification"]["TrainingImage"] = IMAGE
    return request


def _trained(workshop: Workshop, script: str, channels: Any = None, **changes: Any) -> dict[str, Any]:
    request = _training(workshop, script, channels, **changes)
    workshop.sagemaker.create_training_job(**request)
    return workshop.trained(request["TrainingJobName"])


def _left(job: dict[str, Any]) -> list[str]:
    return container_image.running(job.get("TrainingJobName") or job["ProcessingJobName"])


def test_a_container_has_the_jobs_world(contained: Workshop) -> None:
    contained.put(world__a="content")
    job = _trained(
        contained,
        "cat /opt/ml/input/data/train/a > /opt/ml/model/m; hostname; id -u; echo $MADE $GIVEN;"
        " cat /etc/hosts; env; ls /; true",
        {"train": "world/"},
        Environment={"GIVEN": "a  b=c 'd' \"e\" # ", "LD_PRELOAD": "/nothing.so"},
    )
    assert job["TrainingJobStatus"] == "Completed", job
    assert contained.keys(f"models/{job['TrainingJobName']}/output/model.tar.gz")
    lines = [line for line in contained.log("Training", job["TrainingJobName"]) if "ld.so" not in line]
    assert lines[:3] == ["algo-1", "0", "here a b=c 'd' \"e\" #"]
    assert any(line.split() == ["127.0.0.1", "algo-1"] for line in lines)
    variables = dict(line.split("=", 1) for line in lines if "=" in line)
    assert variables["GIVEN"] == "a  b=c 'd' \"e\" # "
    assert variables["TRAINING_JOB_NAME"] == job["TrainingJobName"]
    assert variables["AWS_ENDPOINT_URL"] == contained.server.url
    assert str(contained.server.data) not in json.dumps(lines)
    assert not any(name.startswith("PASSROLE_") for name in variables)
    eventually(lambda: not _left(job))


def test_an_image_has_its_own_program(contained: Workshop) -> None:
    request = _training(contained, "")
    del request["AlgorithmSpecification"]["ContainerEntrypoint"]
    del request["AlgorithmSpecification"]["ContainerArguments"]
    contained.sagemaker.create_training_job(**request)
    job = contained.trained(request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed", job
    assert "train was called with" in contained.log("Training", request["TrainingJobName"])
    processing = contained.processing("")
    processing["AppSpecification"] = {"ImageUri": IMAGE}
    contained.sagemaker.create_processing_job(**processing)
    name = processing["ProcessingJobName"]
    assert contained.processed(name)["ProcessingJobStatus"] == "Completed"
    assert contained.log("Processing", name) == ["the image itself"]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 7", "AlgorithmError: , exit code: 7"),
        # a process 1 that signals itself is not killed, hence the shell in between
        ("sh -c 'kill -9 $$'; exit $?", "AlgorithmError: , exit code: 137"),
        ("echo -n bad data > /opt/ml/output/failure; exit 1", "AlgorithmError: bad data, exit code: 1"),
    ],
)
def test_its_exit_code_is_the_jobs(contained: Workshop, script: str, reason: str) -> None:
    job = _trained(contained, script)
    assert (job["TrainingJobStatus"], job["FailureReason"]) == ("Failed", reason)
    eventually(lambda: not _left(job))


def test_what_cannot_be_made_fails_in_the_engines_words(contained: Workshop) -> None:
    request = _training(contained, "true", Environment={"KEY": "a\nb"})
    contained.sagemaker.create_training_job(**request)
    job = contained.trained(request["TrainingJobName"])
    assert "'KEY' cannot be given to a container" in job["FailureReason"]
    request = _training(contained, "true")
    request["AlgorithmSpecification"]["ContainerEntrypoint"] = ["/no/such/program"]
    contained.sagemaker.create_training_job(**request)
    job = contained.trained(request["TrainingJobName"])
    assert job["FailureReason"] in ("AlgorithmError: , exit code: 125", "AlgorithmError: , exit code: 127")
    assert "/no/such/program" in "".join(contained.log("Training", request["TrainingJobName"]))
    eventually(lambda: not _left(job))


def test_a_stopped_one_gets_term_and_keeps_its_model(contained: Workshop) -> None:
    request = _training(
        contained,
        "trap 'echo saved > /opt/ml/model/m; exit 0' TERM; echo up; while :; do sleep 0.05; done",
    )
    name = request["TrainingJobName"]
    contained.sagemaker.create_training_job(**request)
    eventually(lambda: contained.log("Training", name) == ["up"])
    contained.sagemaker.stop_training_job(TrainingJobName=name)
    job = contained.trained(name)
    assert job["TrainingJobStatus"] == "Stopped"
    assert contained.keys(f"models/{name}/output/model.tar.gz")
    eventually(lambda: not _left(job))


def test_without_a_network_it_has_none(contained: Workshop) -> None:
    job = _trained(contained, "cat /proc/net/dev", EnableNetworkIsolation=True)
    interfaces = [line.split(":")[0].strip() for line in contained.log("Training", job["TrainingJobName"])]
    assert [name for name in interfaces[2:] if name] == ["lo"]


def test_kill_of_the_server_leaves_it_running_and_it_is_found_again(contained: Workshop) -> None:
    request = _training(contained, "echo up; while [ ! -e /opt/ml/model/go ]; do sleep 0.05; done")
    name = request["TrainingJobName"]
    contained.sagemaker.create_training_job(**request)
    home = _home(contained, name)
    eventually(lambda: (home / "run/stdout").exists() and "up" in (home / "run/stdout").read_text())
    contained.server.kill()
    assert len(container_image.running(name)) == 1
    contained.server.start()
    (home / "ml/model/go").touch()
    job = contained.trained(name)
    assert job["TrainingJobStatus"] == "Completed", job
    assert contained.log("Training", name) == ["up"]
    eventually(lambda: not _left(job))


def test_a_container_whose_shell_died_with_the_server_is_removed(contained: Workshop) -> None:
    request = _training(contained, "echo up; while :; do sleep 0.05; done")
    name = request["TrainingJobName"]
    contained.sagemaker.create_training_job(**request)
    home = _home(contained, name)
    eventually(lambda: (home / "run/stdout").exists() and "up" in (home / "run/stdout").read_text())
    contained.server.kill()
    container_image.kill_supervisor(home)
    assert len(container_image.running(name)) == 1
    contained.server.start()
    job = contained.trained(name)
    assert job["FailureReason"].startswith("InternalServerError")
    eventually(lambda: not _left(job))


def _home(workshop: Workshop, name: str) -> Any:
    server = workshop.server
    return server.data / "jobs/training-job" / server.account / server.region / name / "algo-1"
