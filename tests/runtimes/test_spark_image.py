"""What a Spark job is given beside its image's name."""

from pathlib import Path

import pytest

from passrole.config import Config
from passrole.runtimes import spark_image
from passrole.runtimes.interface import Credentials
from passrole.runtimes.ml.environment import Access
from passrole.runtimes.spark_image import SparkMissing

CONFIGURATION = Path("/opt/ml/input/spark")


@pytest.fixture
def java(tmp_path: Path) -> Path:
    program = tmp_path / "java/bin/java"
    program.parent.mkdir(parents=True)
    program.touch()
    return tmp_path / "java"


def _spark(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/spark-submit").touch()
    return folder


def test_the_setting_comes_before_the_pyspark_of_the_environment(tmp_path: Path, java: Path) -> None:
    own = _spark(tmp_path / "env/lib/python3.11/site-packages/pyspark")
    config = Config(java_home=str(java))
    found = spark_image.variables(config, tmp_path / "env", CONFIGURATION)
    assert (found["SPARK_HOME"], found["JAVA_HOME"]) == (str(own), str(java))
    named = Config(java_home=str(java), spark_home=str(_spark(tmp_path / "named")))
    assert spark_image.variables(named, tmp_path / "env", CONFIGURATION)["SPARK_HOME"] == named.spark_home


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(SparkMissing, match="Spark is not installed"):
        spark_image.variables(Config(spark_home=str(tmp_path)), tmp_path, CONFIGURATION)


def test_spark_runs_on_this_machine_alone_and_calls_s3_over_the_wire(tmp_path: Path) -> None:
    access = Access("us-east-1", "http://127.0.0.1:4566", Credentials("k", "s", "t", 1.0))
    spark_image.configure(tmp_path, access)
    lines = dict(line.split(" ", 1) for line in (tmp_path / "spark-defaults.conf").read_text().splitlines())
    assert lines["spark.master"] == "local[*]"
    assert lines["spark.hadoop.fs.s3a.endpoint"] == "http://127.0.0.1:4566"
    assert lines["spark.hadoop.fs.s3a.connection.ssl.enabled"] == "false"
    assert "secret" not in "".join(lines)
