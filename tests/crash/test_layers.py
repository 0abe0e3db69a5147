"""kill -9 while pip fills a layer: it is never used half made, and pip is not begun a second time."""

from pathlib import Path

from tests.conftest import Server
from tests.eventually import eventually
from tests.runtimes.package_index import Index, wheel
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole.runtimes import kept_layers, processes

PRINTS = "python -c 'import fresh; print(fresh.value)' # && /opt/ml/input/data/sm_drivers/sm_train.sh"


def test_pip_is_found_again_and_fills_the_layer(tmp_path: Path, sandboxed: None) -> None:
    _kill_while_it_is_filled(tmp_path, is_lost=False)


def test_a_layer_whose_pip_is_lost_is_made_anew(tmp_path: Path, sandboxed: None) -> None:
    _kill_while_it_is_filled(tmp_path, is_lost=True)


def _kill_while_it_is_filled(tmp_path: Path, *, is_lost: bool) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    wheel(packages, "fresh", "2", "value = 'fresh is 2'")
    with Index(packages).served() as index:
        server = Server(tmp_path / "data")
        try:
            workshop = Workshop(server)
            workshop.s3.put_object(Bucket=workshop.bucket, Key="code/requirements.txt", Body="fresh\n")
            request = workshop.training(PRINTS, {"code": "code/"}, Environment=index.variables)
            index.open.clear()
            workshop.sagemaker.create_training_job(**request)
            eventually(lambda: index.asked)
            server.kill()
            (layer,) = (server.data / "job-layers").iterdir()
            if is_lost:
                processes.kill_family(int((layer / "run/pid").read_text()))
                (layer / "half").touch()
            server.start()
            assert not kept_layers.is_complete(layer)
            index.open.set()
            assert workshop.trained(request["TrainingJobName"])["TrainingJobStatus"] == "Completed"
            assert kept_layers.is_complete(layer) and not (layer / "half").exists()
            downloads = index.asked.count("/fresh-2-py3-none-any.whl")
            assert downloads == 1, index.asked
            assert index.asked.count("/") == (2 if is_lost else 1)
        finally:
            server.stop()
