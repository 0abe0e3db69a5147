"""EMR steps on real Spark: what goes wrong is told for what it is, and another master runs the same job."""

import gzip
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.conftest import Server
from tests.eventually import eventually
from tests.journeys.conftest import notebook_on
from tests.journeys.test_emr import metadata, running
from tests.services.emr.conftest import Fleet

from passrole.cli import main
from passrole.runtimes.jobs import read_output

Start = Callable[..., str]
BUCKET = "spark-journeys"
READ = (
    "import sys\nfrom pyspark.sql import SparkSession\n"
    "spark = SparkSession.builder.getOrCreate()\n"
    "print('rows:', spark.read.text(sys.argv[1]).count())\n"
)
RAISE = "raise ValueError('the column dist is missing')\n"
SLEEP = (
    "import time\nfrom pyspark.sql import SparkSession\n"
    "SparkSession.builder.getOrCreate()\nprint('up', flush=True)\ntime.sleep(120)\n"
)

SPARK_SECONDS = 240
"""Java starts in 2 s on a machine that has nothing else to do, and S3A loads 190 MB of classes in 5."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def objects(server: Server, spark: None) -> Any:
    """A bucket with scripts and a text of three lines."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    scripts = {"read.py": READ, "raise.py": RAISE, "sleep.py": SLEEP, "lines.txt": "a\nb\nc\n"}
    for key, text in scripts.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
    return s3


@pytest.fixture
def fleet(server: Server, objects: Any) -> Iterator[Fleet]:
    fleet = Fleet(server)
    yield fleet
    fleet.end()


def job(cluster: str, *args: str) -> dict[str, Any]:
    jar = {"Jar": "command-runner.jar", "Args": ["spark-submit", "--deploy-mode", "cluster", *args]}
    arguments = {"ClusterId": cluster, "StepConfig": {"HadoopJarStep": jar}}
    return {"Name": "Job", "Type": "EMR", "Arguments": arguments}


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([f"s3://{BUCKET}/raise.py"], "ValueError: the column dist is missing"),
        ([f"s3://{BUCKET}/none.py"], "none.py"),
        (["s3://no-such-bucket-here/read.py"], "no-such-bucket-here"),
        ([f"s3://{BUCKET}/read.py", "s3://no-such-bucket-here/x"], "no-such-bucket-here"),
    ],
    ids=["a-script-that-raises", "a-missing-script", "a-missing-bucket", "a-missing-bucket-of-data"],
)
def test_what_goes_wrong_is_told_for_what_it_is(
    fleet: Fleet, start: Start, args: list[str], says: str
) -> None:
    server, cluster = fleet.server, fleet.run(LogUri=f"s3://{BUCKET}/logs/")
    execution = start([job(cluster, *args)])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Failed"
    reason, known = server.steps(execution)["Job"]["FailureReason"], metadata(server, execution)
    assert says in reason
    log = known["LogFilePath"].removeprefix(f"s3://{BUCKET}/")
    assert log.startswith(f"logs/{cluster}/steps/{known['StepId']}/std")
    text = gzip.decompress(server.client("s3").get_object(Bucket=BUCKET, Key=log)["Body"].read()).decode()
    assert says in text
    assert fleet.status(cluster, known["StepId"])["State"] == "FAILED"


def test_its_output_is_in_the_logs(fleet: Fleet, start: Start) -> None:
    server, cluster = fleet.server, fleet.run()
    execution = start([job(cluster, f"s3://{BUCKET}/read.py", f"s3a://{BUCKET}/lines.txt")])
    assert server.finished(execution)["PipelineExecutionStatus"] == "Succeeded"
    shown = CliRunner().invoke(main, ["logs", "--data", str(server.data), execution, "Job"])
    assert "  Job  rows: 3" in shown.stdout


def test_a_stop_ends_spark_and_leaves_nothing_running(fleet: Fleet, start: Start) -> None:
    server, cluster = fleet.server, fleet.run()
    execution = start([job(cluster, f"s3://{BUCKET}/sleep.py")])
    _, step = running(server, execution, fleet)
    folder = server.data / "emr" / cluster / step
    eventually(lambda: b"up" in read_output(folder, "stdout", 0, 1_000))
    server.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=execution)
    assert server.finished(execution)["PipelineExecutionStatus"] == "Stopped"
    assert fleet.status(cluster, step)["State"] == "CANCELLED"
    assert [each for each in command_lines() if str(folder) in each] == []


def command_lines() -> list[str]:
    """Of all processes there are."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


@pytest.fixture
def master(spark: None, tmp_path: Path) -> Iterator[str]:
    """A standalone master with one worker on this machine; the master's URL."""
    with standalone("127.0.0.1", tmp_path) as url:
        yield url


@contextmanager
def standalone(address: str, folder: Path, inside: Sequence[str] = ()) -> Iterator[str]:
    """A standalone master with one worker, of the Spark that pip installed; the master's URL.

    `inside` is the command that runs a program where the address is.
    """
    found = find_spec("pyspark")
    assert found is not None and found.origin is not None
    home = Path(found.origin).parent
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"spark://{address}:{port}"
    environment = {
        **os.environ,
        "SPARK_HOME": str(home),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_NO_DAEMONIZE": "1",
        "SPARK_WORKER_DIR": str(folder / "work"),
    }
    places = ["--host", address, "--webui-port", "0"]
    commands = [
        ["master.Master", *places, "--port", str(port)],
        ["worker.Worker", *places, "--cores", "2", "--memory", "1g", url],
    ]
    spark_log, started = folder / "spark.log", []
    with spark_log.open("wb") as log:
        for name, *rest in commands:
            program = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}", *rest]
            started.append(subprocess.Popen([*inside, *program], env=environment, stdout=log, stderr=log))
        try:
            eventually(  # a worker that comes before its master tries again
                lambda: b"Successfully registered with master" in spark_log.read_bytes(),
                seen=spark_log.read_text,
                seconds=SPARK_SECONDS,
            )
            yield url
        finally:
            for process in started:
                process.terminate()
                process.wait(20)


def test_a_standalone_master_runs_the_same_journey(
    master: str, start_server: Callable[..., Server], tmp_path: Path
) -> None:
    pytest.importorskip(
        "sagemaker.workflow.emr_step", reason="version 2 of the SageMaker SDK is not installed"
    )
    server = start_server(spark_master=master)
    notebook_on(server)("sdk/emr_steps.py")
    log = (tmp_path / "spark.log").read_text()
    assert log.count("Registered app by-speed") == 2
    clusters = server.client("emr").list_clusters()["Clusters"]
    assert {each["Status"]["State"] for each in clusters} == {"TERMINATED"}
    assert json.loads((server.data / "server.json").read_text())["url"] == server.url
