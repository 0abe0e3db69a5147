"""Masters elsewhere, as far as one machine can try them: what Spark itself asks YARN and Kubernetes for.

A standalone master is tried whole, in journeys/test_emr_spark.py and test_emr_other_machine.py.
"""

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually

from passrole.config import Config, load
from passrole.runtimes import s3a
from passrole.runtimes.ml.environment import RenewedCredentials
from passrole.runtimes.spark import CREDENTIALS, Spark

pytestmark = pytest.mark.slow

SPARK_SECONDS = 120
SESSION = {
    "AWS_ENDPOINT_URL": "http://10.0.0.4:4566",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "hidden",
    "AWS_SESSION_TOKEN": "token",
}
RENEWED = RenewedCredentials(
    "http://10.0.0.4:4566/_passrole/job-credentials/emr-step/a", "of-this-step-alone"
)
STARTS = "from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate()\n"


def test_executors_on_kubernetes_get_the_way_to_credentials_and_no_secret(
    spark: None, tmp_path: Path
) -> None:
    with kubernetes() as (url, made):
        config = Config(data=tmp_path, spark_master=f"k8s://{url}")
        defaults = {
            "spark.kubernetes.container.image": "apache/spark:3.5.6",
            "spark.driver.host": "127.0.0.1",
        }
        with submitted(Spark(config), tmp_path, defaults) as log:
            pod = eventually(lambda: made.get("Pod"), seen=log.read_text, seconds=SPARK_SECONDS)
    (container,) = pod["spec"]["containers"]
    given = {each["name"]: each.get("value") for each in container["env"]}
    assert container["image"] == "apache/spark:3.5.6"
    assert given["AWS_ENDPOINT_URL"] == SESSION["AWS_ENDPOINT_URL"]
    assert given["AWS_SHARED_CREDENTIALS_FILE"] == given["AWS_CREDENTIAL_PROFILES_FILE"] == s3a.PROFILE
    told = json.dumps(made)  # with the ConfigMap, in which Spark puts its whole folder of configuration
    assert not [each for each in ("hidden", "of-this-step-alone") if each in told]
    profile = tmp_path / CREDENTIALS / s3a.PROFILE  # Spark sends it to executors by itself
    assert str(profile) in (tmp_path / "conf/spark-defaults.conf").read_text()
    assert "of-this-step-alone" in profile.read_text()


def test_yarn_is_found_by_hadoops_configuration(spark: None, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as manager:
        manager.settimeout(SPARK_SECONDS)
        site = tmp_path / "hadoop/yarn-site.xml"
        site.parent.mkdir()
        site.write_text(
            "<configuration><property><name>yarn.resourcemanager.address</name>"
            f"<value>127.0.0.1:{manager.getsockname()[1]}</value></property></configuration>"
        )
        found = load({"HADOOP_CONF_DIR": str(site.parent)}, data=tmp_path, spark_master="yarn")
        with submitted(Spark(found), tmp_path, {}):
            connection, _ = manager.accept()
            assert connection.recv(4) == b"hrpc"  # how Hadoop's calls begin
            connection.close()


def test_yarn_without_hadoops_configuration_is_refused_in_words(spark: None, tmp_path: Path) -> None:
    config = Config(data=tmp_path, spark_master="yarn", spark_s3="folder")
    assert "HADOOP_CONF_DIR" in (Spark(config).unavailable_reason() or "")


@contextmanager
def submitted(spark: Spark, folder: Path, defaults: dict[str, str]) -> Iterator[Path]:
    """A program that starts Spark, as a step's is; ended with the block. What it says is in the file."""
    spark.configure(folder, defaults, {}, SESSION, RENEWED)
    (folder / "program.py").write_text(STARTS)
    words = spark.with_shared(folder, ["spark-submit", str(folder / "program.py")])
    command, log = [spark.program(words[0]) or "", *words[1:]], folder / "log"
    with log.open("wb") as said:
        variables = spark.variables(folder, folder, {})
        process = subprocess.Popen(command, env=variables, stdout=said, stderr=said)
        try:
            yield log
        finally:
            process.kill()
            process.wait()


@contextmanager
def kubernetes() -> Iterator[tuple[str, dict[str, Any]]]:
    """What answers as an API server that has nothing yet; its URL, and what it was asked to make, by kind."""
    made: dict[str, Any] = {}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made[asked["kind"]] = asked
            self._answer(201, asked)

        def _answer(self, status: int, document: Any) -> None:
            body = b"" if "watch=true" in self.path else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}", made
        finally:
            listening.shutdown()
            thread.join()
