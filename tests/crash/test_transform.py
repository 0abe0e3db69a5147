"""kill -9 during a transform job: its model's server is found again, and no object is lost or done twice."""

import random
import time
from pathlib import Path

import pytest
from tests.conftest import Server
from tests.eventually import eventually
from tests.services.sagemaker.jobs.transforms import Transforms
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole import trees

pytestmark = pytest.mark.usefixtures("sandboxed")

OBJECTS, KILLS = 12, 4
SLOW = """
import time

def model_fn(model_dir):
    print("loaded")
    return ">"

def transform_fn(model, data, content_type, accept):
    print("begin", data)
    time.sleep(0.3)
    print("end", data)
    return model + data, accept
"""


@pytest.mark.slow
def test_every_object_has_its_output_and_the_model_is_served_once(tmp_path: Path) -> None:
    server, chance = Server(tmp_path / "data"), random.Random(7)
    try:
        transforms = Transforms(Workshop(server))
        transforms.shop.put(**{f"in__{number:02d}": f"{number}" for number in range(OBJECTS)})
        request = transforms.request(transforms.model(SLOW), "in/")
        name = request["TransformJobName"]
        transforms.sagemaker.create_transform_job(**request)
        eventually(lambda: "begin 0" in printed(server.data, name))
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.1, 0.7))
            server.kill()
            server.start()
        assert transforms.ended(name)["TransformJobStatus"] == "Completed"
        assert transforms.outputs(name) == {
            f"{number:02d}.out": f">{number}".encode() for number in range(OBJECTS)
        }
        lines = printed(server.data, name)
        assert lines.count("loaded") == 1  # its server went on while passrole's did not
        again = sum(line.startswith("begin") for line in lines) - OBJECTS
        assert 0 <= again <= KILLS  # only an object that was under way is asked for again
        assert at_once(lines) == 1
    finally:
        server.stop()


def at_once(lines: list[str]) -> int:
    """The most requests that the model had at the same time."""
    steps = [{"begin": 1, "end": -1}.get(line.partition(" ")[0], 0) for line in lines]
    return max(sum(steps[: end + 1]) for end in range(len(steps)))


def printed(data: Path, name: str) -> list[str]:
    """What the model's server has printed."""
    files = trees.files(data / "jobs" / "transform-job")
    found = next((path for path in files if path.match(f"{name}/algo-1/run/stdout")), None)
    return found.read_text().splitlines() if found else []
