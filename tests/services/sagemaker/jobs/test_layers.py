"""What jobs require is installed once, and is there for the next job without an index.

The programs are recognised by the SDK's script that they end with, which they do not run.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import Server
from tests.eventually import eventually
from tests.runtimes.package_index import Index, wheel
from tests.services.sagemaker.jobs.workshop import Described, Workshop

from passrole.runtimes import kept_layers

PRINTS = "python -c 'import fresh; print(fresh.value)' # && /opt/ml/input/data/sm_drivers/sm_train.sh"
INSTALLS = f"pip install -r /opt/ml/input/data/code/requirements.txt && {PRINTS}"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    packages = tmp_path / "packages"
    packages.mkdir()
    wheel(packages, "fresh", "2", "value = 'fresh is 2'")
    with Index(packages).served() as served:
        yield served


def _started(workshop: Workshop, index: Index, script: str = PRINTS, **changes: object) -> str:
    workshop.s3.put_object(Bucket=workshop.bucket, Key="code/requirements.txt", Body="fresh\n")
    request = workshop.training(
        script,
        {"code": "code/"},
        **{"Environment": index.variables, **changes},
    )
    workshop.sagemaker.create_training_job(**request)
    return str(request["TrainingJobName"])


def _printed(server: Server, name: str) -> str:
    (file,) = server.data.glob(f"jobs/training-job/*/*/{name}/algo-1/run/stdout")
    return file.read_text()


def _layers(server: Server) -> list[Path]:
    return [each for each in (server.data / "job-layers").iterdir() if kept_layers.is_complete(each)]


def test_the_second_job_needs_no_index(workshop: Workshop, server: Server, index: Index) -> None:
    first, before = _started(workshop, index), set(_layers_now(server))
    assert workshop.trained(first)["TrainingJobStatus"] == "Completed"
    (made,) = set(_layers(server)) - before
    assert _printed(server, first).splitlines()[-1] == "fresh is 2"
    assert f"went into the layer {made.name[:8]}" in _printed(server, first)
    asked = len(index.asked)
    (index.folder / "fresh-2-py3-none-any.whl").unlink()
    second = _started(workshop, index, INSTALLS)
    assert workshop.trained(second)["TrainingJobStatus"] == "Completed"
    assert f"are in the kept layer {made.name[:8]}" in _printed(server, second)
    assert "already satisfied: fresh" in _printed(server, second)
    assert len(index.asked) == asked


def test_jobs_that_need_it_at_once_make_it_once(workshop: Workshop, server: Server, index: Index) -> None:
    index.open.clear()
    names = [_started(workshop, index) for _ in range(3)]
    eventually(lambda: index.asked)
    index.open.set()
    for name in names:
        assert workshop.trained(name)["TrainingJobStatus"] == "Completed"
    assert index.asked.count("/fresh-2-py3-none-any.whl") == 1
    told = [_printed(server, name).partition(" layer ")[0] for name in names]
    assert sorted(told) == [
        *["passrole: the requirements are in the kept"] * 2,
        "passrole: the requirements went into the",
    ]


def test_a_layer_that_cannot_be_made_leaves_it_to_the_program(
    workshop: Workshop, server: Server, index: Index
) -> None:
    (index.folder / "fresh-2-py3-none-any.whl").unlink()
    name = _started(workshop, index, INSTALLS)
    ended: Described = workshop.trained(name)
    assert ended["TrainingJobStatus"] == "Failed"
    assert "no layer was made of the requirements: pip ended with exit code 1" in _printed(server, name)
    assert "No matching distribution found for fresh" in _printed(server, name)


def test_a_job_without_a_network_gets_nothing_installed(
    workshop: Workshop, server: Server, index: Index
) -> None:
    name = _started(workshop, index, EnableNetworkIsolation=True)
    assert workshop.trained(name)["TrainingJobStatus"] == "Failed"
    assert index.asked == [] and "layer" not in _printed(server, name)


def test_who_is_stopped_meanwhile_leaves_it_to_the_next(
    workshop: Workshop, server: Server, index: Index
) -> None:
    index.open.clear()
    first = _started(workshop, index)
    eventually(lambda: index.asked)
    second = _started(workshop, index)
    workshop.sagemaker.stop_training_job(TrainingJobName=first)
    assert workshop.trained(first)["TrainingJobStatus"] == "Stopped"
    index.open.set()
    assert workshop.trained(second)["TrainingJobStatus"] == "Completed"
    assert "went into the layer" in _printed(server, second)


def _layers_now(server: Server) -> list[Path]:
    folder = server.data / "job-layers"
    return list(folder.iterdir()) if folder.is_dir() else []
