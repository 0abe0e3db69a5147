"""Configurations of a cluster, and what Spark's programs get of them."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from passrole.config import Config
from passrole.runtimes.spark import Spark
from passrole.services.emr.configurations import exports, spark_defaults

GIVEN: list[dict[str, Any]] = [
    {"Classification": "spark-defaults", "Properties": {"spark.a": "1"}},
    {
        "Classification": "spark-env",
        "Configurations": [
            {"Classification": "export", "Properties": {"PYSPARK_PYTHON": "/opt/python", "not a name": "x"}},
            {"Classification": "other", "Properties": {"B": "2"}},
        ],
    },
    {
        "Classification": "hadoop-env",
        "Configurations": [{"Classification": "export", "Properties": {"H": "3"}}],
    },
    {"Classification": "spark-env", "Properties": {"NOT_NESTED": "4"}},
    {"Classification": "spark"},
]


def test_exports_are_those_nested_in_the_classification() -> None:
    assert exports(GIVEN, "spark-env") == {"PYSPARK_PYTHON": "/opt/python"}
    assert exports(GIVEN, "hadoop-env") == {"H": "3"}
    assert exports(GIVEN, "yarn-env") == {}
    assert spark_defaults(GIVEN) == {"spark.a": "1"}


@pytest.mark.parametrize(
    "value, expected",
    [
        ("plain", "plain"),
        ("two words", "two words"),
        ("/opt/bin:$BEFORE", "/opt/bin:was"),
        ('"quoted"', '"quoted"'),
        ("`echo x`$(echo y)", "`echo x`$(echo y)"),
        ("back\\slash", "back\\slash"),
    ],
)
def test_spark_reads_an_export_as_it_was_written(tmp_path: Path, value: str, expected: str) -> None:
    Spark(Config(data=tmp_path, spark_s3="folder")).configure(tmp_path, {}, {"GIVEN": value}, {})
    script = f'. {tmp_path}/conf/spark-env.sh; printf %s "$GIVEN"'
    got = subprocess.run(
        ["bash", "-c", script],
        env={"BEFORE": "was", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )
    assert got.stdout.decode() == expected


def test_a_program_is_found_on_the_path_of_jobs_or_not_at_all(tmp_path: Path) -> None:
    spark = Spark(Config(data=tmp_path))
    assert spark.program("bash")
    assert spark.program("no-such-program") is None
    assert spark.python_example("NoSuchExample") is None
    assert spark.python_example("../../pi") is None
