"""What an inference.py requires is installed once: the next server starts with it, and needs no index."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.eventually import eventually
from tests.runtimes.package_index import Index, wheel
from tests.services.sagemaker.hosting.conftest import IMAGE, TIMES, Host, archive
from tests.services.sagemaker.hosting.test_endpoints import refused

CODE = TIMES.replace("import json", "import json, os, fresh_model").replace(
    "return [value * factor", "return data[0] or os._exit(3), [fresh_model.value * value * factor"
)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    packages = tmp_path / "packages"
    packages.mkdir()
    wheel(packages, "fresh_model", "2", "value = 10")
    with Index(packages).served() as served:
        yield served


def _model(host: Host, index: Index, **variables: str) -> str:
    files = {"factor.json": "2", "code/inference.py": CODE, "code/requirements.txt": "fresh_model\n"}
    host.server.client("s3").put_object(Bucket=host.bucket, Key="layered.tar.gz", Body=archive(files))
    container = {
        "Image": IMAGE,
        "ModelDataUrl": f"s3://{host.bucket}/layered.tar.gz",
        "Environment": {**index.variables, **variables},
    }
    return host.model(PrimaryContainer=container)


@pytest.mark.parametrize("variables", [{}, {"SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}])
@pytest.mark.usefixtures("sandboxed")
def test_a_server_that_is_started_again_needs_no_index(
    host: Host, index: Index, variables: dict[str, str]
) -> None:
    name = host.endpoint(host.config({"ModelName": _model(host, index, **variables)}))
    host.in_service(name)
    assert host.ask(name) == [1.0, [20.0, 40.0]]
    assert "passrole: the requirements went into the layer" in host.printed(name)
    (index.folder / "fresh_model-2-py3-none-any.whl").unlink()
    asked = len(index.asked)
    assert refused(host, name, "0")  # it ends before it answers
    eventually(lambda: refused(host, name) is None)
    assert host.ask(name) == [1.0, [20.0, 40.0]]
    second = host.endpoint(host.config({"ModelName": _model(host, index, **variables)}))
    host.in_service(second)
    assert "passrole: the requirements are in the kept layer" in host.printed(second)
    assert len(index.asked) == asked
    for each in (name, second):
        host.gone(each)
