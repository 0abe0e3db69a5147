"""EMR steps whose Spark calls S3 over the wire: each read and write is decided about, and explained."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.conftest import Server, kept_at
from tests.journeys import short_sessions
from tests.journeys.test_emr_spark import SPARK_SECONDS, master
from tests.policies import allowing
from tests.services.emr.conftest import EC2, Fleet, step

from passrole.cli import main

__all__ = ["master"]  # a fixture

Start = Callable[..., Server]
Settings = dict[str, str]
pytestmark = pytest.mark.slow

OPEN, CLOSED = "open-bucket", "closed-bucket"
COUNT = (
    "import os, sys\nfrom pyspark.sql import SparkSession\n"
    "spark = SparkSession.builder.getOrCreate()\n"
    "lines = spark.read.text(sys.argv[1])\n"
    "lines.groupBy('value').count().write.partitionBy('value').parquet('s3://open-bucket/counted')\n"
    "print('rows:', spark.read.parquet('s3a://open-bucket/counted').count())\n"
    "print('seen on the disk:', os.path.exists(sys.argv[2]))\n"
)
"""Reads the first argument, and looks for the second on the disk."""

READ_ON = (
    "import sys, time\nfrom pyspark.sql import SparkSession\n"
    "spark = SparkSession.builder.getOrCreate()\n"
    "until = time.monotonic() + float(sys.argv[2])\n"
    "while time.monotonic() < until:\n"
    "    lines = spark.read.text(sys.argv[1]).count()\n"
    "print('last:', lines)\n"
)
"""Reads the first argument again and again, for as many seconds as the second says."""


@pytest.fixture
def by_s3a(spark: None) -> Settings:
    """The settings of a server whose Spark has S3A: `make test-s3a` downloads it."""
    found = os.environ.get("S3A_JARS", "")
    if not found:
        pytest.skip("S3A_JARS names no folder with Hadoop's S3A: make test-s3a")
    return {"spark_s3": "s3a", "s3a_jars": found}


def cluster_on(server: Server) -> tuple[Fleet, str]:
    """A cluster whose instances may use one of two buckets."""
    s3, fleet = server.client("s3"), Fleet(server)
    for bucket in (OPEN, CLOSED):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="lines.txt", Body=b"a\nb\na\n")
    s3.put_object(Bucket=OPEN, Key="count.py", Body=COUNT.encode())
    own = [allowing("s3:*", resource=f"arn:aws:s3:::{OPEN}{end}") for end in ("", "/*")]
    return fleet, fleet.run(JobFlowRole=fleet.new_profile(server.role(own, trust=EC2)))


def counted(fleet: Fleet, cluster: str, bucket: str) -> tuple[Any, str]:
    """The status of a step that counts a bucket's lines, and what it printed."""
    script, disk = f"s3://{OPEN}/count.py", str(fleet.server.data / "s3" / CLOSED)
    words = ["spark-submit", "--deploy-mode", "cluster", script, f"s3://{bucket}/lines.txt", disk]
    (id_,) = fleet.add(cluster, step(*words, ActionOnFailure="CONTINUE"))
    status = fleet.step_until(cluster, id_, seconds=SPARK_SECONDS)
    return status, (fleet.server.data / "emr" / cluster / id_ / "stdout").read_text()


def test_a_role_decides_what_spark_reads(by_s3a: Settings, start_server: Start) -> None:
    server = start_server(**by_s3a)
    fleet, cluster = cluster_on(server)
    status, printed = counted(fleet, cluster, OPEN)
    assert (status["State"], "rows: 2" in printed) == ("COMPLETED", True), (status, printed)
    written = server.client("s3").list_objects_v2(Bucket=OPEN, Prefix="counted/value=")["Contents"]
    assert len(written) == 2
    status, _ = counted(fleet, cluster, CLOSED)
    assert status["State"] == "FAILED"
    said = status["FailureDetails"]["Reason"]
    assert f'is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::{CLOSED}" because' in said
    shown = CliRunner().invoke(main, ["explain", "--data", str(server.data)])
    assert f"arn:aws:s3:::{CLOSED}" in shown.stdout
    fleet.end()


def test_without_s3a_a_step_is_refused_in_words_and_reads_nothing(spark: None, start_server: Start) -> None:
    fleet, cluster = cluster_on(server := start_server(spark_s3="s3a"))
    (id_,) = fleet.add(cluster, step("spark-submit", f"s3://{OPEN}/count.py", ActionOnFailure="CONTINUE"))
    status = fleet.step_until(cluster, id_, seconds=SPARK_SECONDS)
    assert status["State"] == "FAILED"
    assert "passrole doctor --install-s3a" in status["FailureDetails"]["Reason"]
    assert not (server.data / "emr" / cluster / id_ / "stdout").exists()
    fleet.end()


def test_a_step_that_reads_files_says_that_nothing_is_checked(spark: None, start_server: Start) -> None:
    fleet, cluster = cluster_on(server := start_server(spark_s3="folder"))
    status, printed = counted(fleet, cluster, CLOSED)
    assert (status["State"], "rows: 2" in printed) == ("COMPLETED", True), (status, printed)
    (folder,) = (server.data / "emr" / cluster).glob("s-*")
    for log in (folder / "controller", server.data.with_suffix(".log")):
        assert "no permission is checked" in log.read_text()
    fleet.end()


def test_a_step_in_a_sandbox_sees_no_objects_as_files(
    by_s3a: Settings, start_server: Start, sandboxed: None
) -> None:
    fleet, cluster = cluster_on(start_server(**by_s3a))
    status, printed = counted(fleet, cluster, OPEN)
    assert (status["State"], "seen on the disk: False" in printed) == ("COMPLETED", True), (status, printed)
    fleet.end()


def test_credentials_are_renewed_while_a_program_runs(
    by_s3a: Settings, start_server: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spark reads for three times as long as its credentials are valid."""
    monkeypatch.setattr(Server, "program", (str(Path(short_sessions.__file__)),))
    fleet, cluster = cluster_on(server := start_server(**by_s3a))
    server.client("s3").put_object(Bucket=OPEN, Key="read.py", Body=READ_ON.encode())
    seconds = str(3 * short_sessions.SECONDS)
    words = ["spark-submit", f"s3://{OPEN}/read.py", f"s3://{OPEN}/lines.txt", seconds]
    (id_,) = fleet.add(cluster, step(*words, ActionOnFailure="CONTINUE"))
    status = fleet.step_until(cluster, id_, seconds=SPARK_SECONDS)
    assert status["State"] == "COMPLETED", status
    assert "last: 3" in (server.data / "emr" / cluster / id_ / "stdout").read_text()
    fleet.end()


def test_executors_of_a_cluster_call_s3_too(by_s3a: Settings, master: str, start_server: Start) -> None:
    fleet, cluster = cluster_on(start_server(**by_s3a, spark_master=master))
    status, printed = counted(fleet, cluster, OPEN)
    assert (status["State"], "rows: 2" in printed) == ("COMPLETED", True), (status, printed)
    fleet.end()


def test_objects_may_be_elsewhere(by_s3a: Settings, start_server: Start) -> None:
    far = start_server(only="s3")
    fleet, cluster = cluster_on(near := start_server(**by_s3a, **kept_at(far)))
    status, printed = counted(fleet, cluster, OPEN)
    assert (status["State"], "rows: 2" in printed) == ("COMPLETED", True), (status, printed)
    written = far.client("s3").list_objects_v2(Bucket=OPEN, Prefix="counted/value=")["Contents"]
    assert (len(written), (near.data / "s3" / OPEN).exists()) == (2, False)
    status, _ = counted(fleet, cluster, CLOSED)
    assert (
        f'perform: s3:ListBucket on resource: "arn:aws:s3:::{CLOSED}"' in status["FailureDetails"]["Reason"]
    )
    shown = CliRunner().invoke(main, ["explain", "--data", str(near.data)])
    assert f"arn:aws:s3:::{CLOSED}" in shown.stdout
    fleet.end()
