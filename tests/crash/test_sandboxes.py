"""kill -9 of the server on the lower rungs: a function ends, a job goes on, and nothing is left."""

import re
import threading
from pathlib import Path

import pytest
from tests import container_image
from tests.conftest import Server, new_name
from tests.eventually import eventually, processes_with
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole.runtimes.sandbox import SandboxMissing, chosen

SLEEPS = """
import subprocess

def handler(event, context):
    subprocess.run(["/bin/sleep", "300"], env={"MARKED": event})
"""


def _containers(data: Path) -> set[str]:
    """The names of the containers that this server's programs asked for."""
    said = [(folder / "cmdline") for folder in Path("/proc").glob("[0-9]*")]
    found: set[str] = set()
    for path in said:
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue
        if str(data) in text:
            found |= set(re.findall(r"passrole\.sandbox\.[0-9a-f]{32}", text))
    return found


@pytest.mark.slow
def test_in_containers(tmp_path: Path) -> None:
    try:
        chosen("container")
    except SandboxMissing as error:
        pytest.skip(str(error))
    server = Server(tmp_path / "data", sandbox="container")
    of_function, of_job = new_name("function-mark"), new_name("job-mark")
    try:
        workshop = Workshop(server)
        server.function("sagemaker-sleeps", SLEEPS, Timeout=300)
        call = threading.Thread(target=_invoked, args=(server.client("lambda"), f'"{of_function}"'))
        call.start()
        request = workshop.training(f"echo begin; MARKED={of_job} sleep 300")
        name = request["TrainingJobName"]
        workshop.sagemaker.create_training_job(**request)
        eventually(lambda: processes_with(of_function) and processes_with(of_job))
        made, of_its_own = _containers(server.data), set(processes_with(of_job))
        assert len(made) == 2

        server.kill()
        call.join()
        eventually(lambda: not processes_with(of_function))
        assert of_its_own & set(processes_with(of_job))  # an engine's own may come and go meanwhile

        server.start()
        workshop.sagemaker.stop_training_job(TrainingJobName=name)
        assert workshop.trained(name)["TrainingJobStatus"] == "Stopped"
        assert not processes_with(of_job)
        assert workshop.log("Training", name) == ["begin"]
        eventually(lambda: not made & set(container_image.running("passrole.sandbox")))
    finally:
        server.stop()


def _invoked(client: object, payload: str) -> None:
    try:
        client.invoke(FunctionName="sagemaker-sleeps", Payload=payload)  # type: ignore[attr-defined]
    except Exception as error:
        assert "Connection" in type(error).__name__  # the server is killed
