"""EMR steps whose Spark is on another machine: a standalone master in a network namespace of its own.

Executors there have neither the driver's environment nor its network; what they read is decided by the step's
role even so, and they get its credentials again from the server.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from tests.conftest import Server
from tests.journeys.test_emr_s3a import Settings, by_s3a
from tests.journeys.test_emr_spark import SPARK_SECONDS, standalone
from tests.policies import allowing
from tests.services.emr.conftest import EC2, Fleet, step

from passrole.cli import main

__all__ = ["by_s3a"]  # a fixture

Start = Callable[..., Server]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3 * SPARK_SECONDS)]

LAKE = "lake"
WHERE = (
    "import os, sys, boto3\nfrom pyspark.sql import SparkSession\n"
    "spark = SparkSession.builder.getOrCreate()\n"
    "def there(_):\n"
    "    keys = [boto3.Session().get_credentials().access_key for _ in range(2)]\n"
    "    named = boto3.client('sts', region_name='us-east-1').get_caller_identity()['Arn']\n"
    "    return os.readlink('/proc/self/ns/net'), len(set(keys)), named, 'AWS_SESSION_TOKEN' in os.environ\n"
    "place, keys, named, has_secret = spark.sparkContext.parallelize([0], 1).map(there).first()\n"
    "print('elsewhere:', place != os.readlink('/proc/self/ns/net'))\n"
    "print('keys:', keys, 'in the environment:', has_secret, 'as:', named)\n"
    "print('rows:', spark.read.text(sys.argv[1]).count(), flush=True)\n"
)


class Network(NamedTuple):
    """Another machine: its address, ours as it sees it, and the command that runs a program there."""

    theirs: str
    ours: str
    inside: list[str]


@pytest.fixture
def network(spark: None) -> Iterator[Network]:
    if os.getuid() != 0 or shutil.which("ip") is None:
        pytest.skip("a network namespace needs root and `ip` (Debian's iproute2)")
    number, name = os.getpid() % 250, f"passrole-{os.getpid()}"
    here, there = f"prh{os.getpid()}", f"prt{os.getpid()}"
    network = Network(f"10.213.{number}.2", f"10.213.{number}.1", ["ip", "netns", "exec", name])
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if made.returncode != 0:
        pytest.skip(f"a network namespace cannot be made: {made.stderr.strip()}")
    try:
        for words in (
            f"ip link add {here} type veth peer name {there} netns {name}",
            f"ip addr add {network.ours}/30 dev {here}",
            f"ip link set {here} up",
            f"ip -n {name} addr add {network.theirs}/30 dev {there}",
            f"ip -n {name} link set {there} up",
            f"ip -n {name} link set lo up",
            f"ip -n {name} route add default via {network.ours}",
        ):
            subprocess.run(words.split(), check=True)
        yield network
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


def ran(fleet: Fleet, cluster: str, *words: str) -> tuple[Any, str]:
    """The status of a step at its end, and what it printed."""
    command = ["spark-submit", "--deploy-mode", "cluster", *words]
    (id_,) = fleet.add(cluster, step(*command, ActionOnFailure="CONTINUE"))
    status = fleet.step_until(cluster, id_, seconds=SPARK_SECONDS)
    return status, (fleet.server.data / "emr" / cluster / id_ / "stdout").read_text()


def test_a_role_decides_what_executors_elsewhere_read(
    by_s3a: Settings, network: Network, start_server: Start, tmp_path: Path
) -> None:
    (tmp_path / "more.txt").write_text("more")
    with standalone(network.theirs, tmp_path, network.inside) as master:
        server = start_server(**by_s3a, spark_master=master, host=network.ours)
        s3, fleet = server.client("s3"), Fleet(server)
        s3.create_bucket(Bucket=LAKE)
        for key, text in {"open/a.txt": "a\nb\n", "closed/a.txt": "a\n", "open/where.py": WHERE}.items():
            s3.put_object(Bucket=LAKE, Key=key, Body=text.encode())
        own = [
            allowing("s3:GetObject", resource=f"arn:aws:s3:::{LAKE}/open/*"),
            allowing("s3:ListBucket", resource=f"arn:aws:s3:::{LAKE}"),
        ]
        cluster = fleet.run(JobFlowRole=fleet.new_profile(role := server.role(own, trust=EC2)))
        job = ("--files", str(tmp_path / "more.txt"), f"s3://{LAKE}/open/where.py")
        status, printed = ran(fleet, cluster, *job, f"s3://{LAKE}/open/a.txt")
        assert (status["State"], "rows: 2" in printed) == ("COMPLETED", True), (status, printed)
        assert "elsewhere: True" in printed
        assert f"keys: 2 in the environment: False as: arn:aws:sts::{server.account}:assumed-role/" in printed
        status, printed = ran(fleet, cluster, *job, f"s3://{LAKE}/closed/a.txt")
        assert (status["State"], "rows: 1" in printed) == ("FAILED", False), printed
        said = status["FailureDetails"]["Reason"]  # the answer to HeadObject has no body, so no sentence
        assert f"AccessDeniedException: s3://{LAKE}/closed/a.txt" in said and "403 Forbidden" in said, said
        shown = CliRunner().invoke(main, ["explain", "--data", str(server.data)]).stdout
        for told in (f"arn:aws:s3:::{LAKE}/closed/a.txt", "s3:GetObject", role.rpartition("/")[2]):
            assert told in shown, shown
        fleet.end()
