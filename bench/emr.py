"""What an EMR step costs beside a bare spark-submit of the same script, on the same machine in the same run.

Both read a csv of 2,000 rows and group it; the step's csv lies in S3 and its script too. The two take turns.
Both read files: S3A, which asks for permissions, loads 190 MB of classes first.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from bench.measure import seconds, wait_until
from bench.server import Server
from bench.table import Figure, Peer, Row

ROUNDS = 5
MORE, MORE_SECONDS = 1.05, 0.3
"""The budget is whichever is more: a twentieth, or a third of a second."""

BUCKET = "bench-emr"
SCRIPT = (
    "import sys\nfrom pyspark.sql import SparkSession\n"
    "spark = SparkSession.builder.getOrCreate()\n"
    "rows = spark.read.csv(sys.argv[1], header=True, inferSchema=True)\n"
    "print(rows.groupBy('k').sum('v').count())\n"
)
ROWS = "k,v\n" + "".join(f"{number % 40},{number}\n" for number in range(2_000))


def rows() -> Iterator[Row]:
    """The step, from its submission until EMR says COMPLETED."""
    with tempfile.TemporaryDirectory() as name, Server(Path(name) / "data", "--spark-s3", "folder") as server:
        folder, emr = Path(name), server.client("emr")
        cluster = _cluster(server)
        (folder / "job.py").write_text(SCRIPT)
        (folder / "rows.csv").write_text(ROWS)
        _bare(folder)  # what the disk has to read once is not what is measured
        bare, steps = [], []
        for _ in range(ROUNDS):
            bare.append(seconds(lambda: _bare(folder)))
            steps.append(seconds(lambda: _step(emr, cluster)))
    peer = median(bare)
    budget = Figure(max(peer * MORE, peer + MORE_SECONDS), "s")
    yield Row(
        "EMR step on Spark", Figure(median(steps), "s"), Peer("spark-submit", Figure(peer, "s")), budget
    )


def _bare(folder: Path) -> None:
    found = find_spec("pyspark")
    assert found is not None and found.origin is not None
    home = Path(found.origin).parent
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "SPARK_HOME": str(home),
        "PYSPARK_PYTHON": sys.executable,
        **({"JAVA_HOME": os.environ["JAVA_HOME"]} if "JAVA_HOME" in os.environ else {}),
    }
    command = [str(home / "bin" / "spark-submit"), "--conf", "spark.ui.enabled=false", "job.py", "rows.csv"]
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)  # noqa: S603


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

    wait_until(ended, "the step's end", within=120)


def _cluster(server: Server) -> str:
    """A cluster that waits for steps, and what they read."""
    iam, s3 = server.client("iam"), server.client("s3")
    for name, service in (("bench-emr", "elasticmapreduce"), ("bench-ec2", "ec2")):
        principal = {"Service": f"{service}.amazonaws.com"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
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
