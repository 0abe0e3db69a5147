"""What an EMR step costs beside a bare spark-submit of the same script, on the same machine in the same run.

Both read a csv of 2,000 rows and group it; the step's csv lies in S3 and its script too. The two take turns.
First both read files; then both read S3 by S3A, which asks for permissions and loads 190 MB of classes first.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from bench.measure import seconds, wait_until
from bench.server import Server
from bench.table import Figure, Peer, Row
from passrole.runtimes import s3a

JARS = Path(__file__).parents[1] / ".s3a"
ROUNDS = 5
MORE, MORE_SECONDS = 1.05, 0.3
"""The budget is whichever is more: a twentieth, or a third of a second."""

PAUSE_SECONDS = 0.2
"""Between two questions for the step's state: to ask every 20 ms took a tenth of two cores from the step."""

BUCKET = "bench-emr"
SCRIPT = (
    "import sys\nfrom pyspark.sql import SparkSession\n"
    "spark = SparkSession.builder.getOrCreate()\n"
    "rows = spark.read.csv(sys.argv[1], header=True, inferSchema=True)\n"
    "print(rows.groupBy('k').sum('v').count())\n"
)
ROWS = "k,v\n" + "".join(f"{number % 40},{number}\n" for number in range(2_000))


class Submit(NamedTuple):
    """The words behind spark-submit, and variables of its own."""

    words: list[str]
    environment: dict[str, str]


def rows() -> Iterator[Row]:
    """The step, from its submission until EMR says COMPLETED; by S3A where its jars are."""
    yield from _beside("a local file, read as a file", "folder", _of_a_file)
    jars = s3a.jars(str(JARS), _spark())
    if jars:
        yield from _beside("s3:// by S3A", "s3a", partial(_of_s3a, jars))
    else:
        print("emr: S3A's jars are missing: make .s3a/.installed", file=sys.stderr)


def _beside(what: str, way: str, submit: Callable[[Path, Server], Submit]) -> Iterator[Row]:
    """Steps that read S3 in this way, beside bare spark-submits."""
    environment = {"PASSROLE_S3A_JARS": str(JARS)}
    with (
        tempfile.TemporaryDirectory() as name,
        Server(Path(name) / "data", "--spark-s3", way, environment=environment) as server,
    ):
        folder, emr = Path(name), server.client("emr")
        cluster, bare_submit = _cluster(server), submit(folder, server)
        _bare(folder, bare_submit)  # what the disk has to read once is not what is measured
        _step(emr, cluster)
        bare, steps = [], []
        for _ in range(ROUNDS):
            bare.append(seconds(lambda: _bare(folder, bare_submit)))
            steps.append(seconds(lambda: _step(emr, cluster)))
    peer = median(bare)
    budget = Figure(max(peer * MORE, peer + MORE_SECONDS), "s")
    name = f"spark-submit, {what}"
    yield Row(f"EMR step on Spark, {what}", Figure(median(steps), "s"), Peer(name, Figure(peer, "s")), budget)


def _of_a_file(folder: Path, _server: Server) -> Submit:
    (folder / "job.py").write_text(SCRIPT)
    (folder / "rows.csv").write_text(ROWS)
    return Submit(["job.py", "rows.csv"], {})


def _of_s3a(jars: list[Path], _folder: Path, server: Server) -> Submit:
    """With the settings that a step has, and the administrator's keys."""
    keys = {
        "AWS_ACCESS_KEY_ID": server.access["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": server.access["secret_access_key"],
    }
    settings = s3a.settings(server.url, providers=s3a.CREDENTIALS[:1])
    options = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    words = [*options, f"s3://{BUCKET}/job.py", f"s3://{BUCKET}/rows.csv"]
    return Submit(words, {**keys, "SPARK_DIST_CLASSPATH": s3a.class_path(jars)})


def _bare(folder: Path, submit: Submit) -> None:
    home = _spark()
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "SPARK_HOME": str(home),
        "PYSPARK_PYTHON": sys.executable,
        **({"JAVA_HOME": os.environ["JAVA_HOME"]} if "JAVA_HOME" in os.environ else {}),
        **submit.environment,
    }
    command = [str(home / "bin" / "spark-submit"), "--conf", "spark.ui.enabled=false", *submit.words]
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)  # noqa: S603


def _spark() -> Path:
    found = find_spec("pyspark")
    assert found is not None and found.origin is not None
    return Path(found.origin).parent


def _step(emr: Any, cluster: str) -> None:
    args = ["spark-submit", f"s3://{BUCKET}/job.py", f"s3://{BUCKET}/rows.csv"]
    config = {
        "Name": "bench",
        "ActionOnFailure": "CONTINUE",
        "HadoopJarStep": {"Jar": "command-runner.jar", "Args": args},
    }
    (step,) = emr.add_job_flow_steps(JobFlowId=cluster, Steps=[config])["StepIds"]

    def ended() -> bool:
        state = emr.describe_step(ClusterId=cluster, StepId=step)["Step"]["Status"]["State"]
        if state in ("FAILED", "CANCELLED", "INTERRUPTED"):
            raise RuntimeError(f"the step is {state}")
        return bool(state == "COMPLETED")

    wait_until(ended, "the step's end", within=120, pause=PAUSE_SECONDS)


def _cluster(server: Server) -> str:
    """A cluster that waits for steps, and what they read."""
    iam, s3 = server.client("iam"), server.client("s3")
    for name, service in (("bench-emr", "elasticmapreduce"), ("bench-ec2", "ec2")):
        principal = {"Service": f"{service}.amazonaws.com"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    may = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_role_policy(RoleName="bench-ec2", PolicyName="objects", PolicyDocument=policy)
    iam.create_instance_profile(InstanceProfileName="bench-ec2")
    iam.add_role_to_instance_profile(InstanceProfileName="bench-ec2", RoleName="bench-ec2")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="job.py", Body=SCRIPT.encode())
    s3.put_object(Bucket=BUCKET, Key="rows.csv", Body=ROWS.encode())
    made = server.client("emr").run_job_flow(
        Name="bench",
        Instances={"KeepJobFlowAliveWhenNoSteps": True},
        JobFlowRole="bench-ec2",
        ServiceRole="bench-emr",
    )
    return str(made["JobFlowId"])
