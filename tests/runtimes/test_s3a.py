"""Which jars of S3A serve which Spark, and what Spark is told of S3."""

from pathlib import Path

import pytest

from passrole.config import Config
from passrole.runtimes import s3a
from passrole.runtimes.spark import Spark

SESSION = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "hidden",
    "AWS_SESSION_TOKEN": "token",
}
ENVIRONMENT = "com.amazonaws.auth.EnvironmentVariableCredentialsProvider"


def folder_with(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A Spark with Hadoop 3.3."""
    folder_with(tmp_path / "spark/bin", "spark-submit")
    folder_with(tmp_path / "spark/jars", "hadoop-client-api-3.3.4.jar", "spark-core_2.12-3.5.9.jar")
    return tmp_path / "spark"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["hadoop-aws-3.3.1.jar", "aws-java-sdk-bundle-1.11.901.jar"], True),
        (["hadoop-aws-3.3.6.jar", "aws-java-sdk-bundle-1.12.367.jar"], True),
        (["hadoop-aws-3.4.1.jar", "bundle-2.24.6.jar"], False),
        (["hadoop-aws-3.3.1.jar"], False),
        (["aws-java-sdk-bundle-1.11.901.jar"], False),
        ([], False),
    ],
)
def test_jars_serve_the_hadoop_that_they_are_made_for(
    names: list[str], found: bool, home: Path, tmp_path: Path
) -> None:
    there = folder_with(tmp_path / "jars", *names)
    assert [jar.name for jar in s3a.jars(str(there), home)] == (names if found else [])


def test_the_newer_sdk_serves_the_newer_hadoop(home: Path, tmp_path: Path) -> None:
    (home / "jars/hadoop-client-api-3.3.4.jar").rename(home / "jars/hadoop-client-api-3.4.1.jar")
    there = folder_with(tmp_path / "jars", "hadoop-aws-3.4.1.jar", "bundle-2.24.6.jar")
    assert len(s3a.jars(str(there), home)) == 2


def test_a_spark_with_s3a_needs_none(home: Path, tmp_path: Path) -> None:
    there = folder_with(tmp_path / "jars", "hadoop-aws-3.3.1.jar", "aws-java-sdk-bundle-1.11.901.jar")
    folder_with(home / "jars", "hadoop-aws-3.3.4.jar")
    spark = Spark(Config(spark_home=str(home), s3a_jars=str(there)))
    assert (spark.uses_s3a, spark.s3a_jars) == (True, [])


@pytest.mark.parametrize(
    ("way", "jars", "uses", "refused"),
    [
        ("auto", True, True, False),
        ("auto", False, False, False),
        ("s3a", True, True, False),
        ("s3a", False, False, True),
        ("folder", True, False, False),
    ],
)
def test_the_setting_chooses_the_way(
    way: str, jars: bool, uses: bool, refused: bool, home: Path, tmp_path: Path, java: Path
) -> None:
    there = folder_with(tmp_path / "jars")
    if jars:
        folder_with(there, "hadoop-aws-3.3.1.jar", "aws-java-sdk-bundle-1.11.901.jar")
    config = Config(
        data=tmp_path, spark_home=str(home), java_home=str(java), spark_s3=way, s3a_jars=str(there)
    )
    spark = Spark(config)
    assert (spark.uses_s3a, spark.objects is None) == (uses, uses)
    assert ("doctor --install-s3a" in (spark.unavailable_reason() or "")) == refused


def test_objects_elsewhere_need_s3a(home: Path, java: Path) -> None:
    config = Config(spark_home=str(home), java_home=str(java), s3_endpoint="http://127.0.0.1:9000")
    assert "doctor --install-s3a" in (Spark(config).unavailable_reason() or "")


@pytest.fixture
def java(tmp_path: Path) -> Path:
    folder_with(tmp_path / "java/bin", "java")
    return tmp_path / "java"


def configured(tmp_path: Path, home: Path, master: str, **defaults: str) -> dict[str, str]:
    there = folder_with(tmp_path / "jars", "hadoop-aws-3.3.1.jar", "aws-java-sdk-bundle-1.11.901.jar")
    spark = Spark(Config(data=tmp_path, spark_home=str(home), spark_master=master, s3a_jars=str(there)))
    spark.configure(
        tmp_path, {name.replace("_", "."): value for name, value in defaults.items()}, {}, SESSION
    )
    written = tmp_path / "conf/spark-defaults.conf"
    assert written.stat().st_mode & 0o077 == 0
    return dict(line.split(" ", 1) for line in written.read_text().splitlines())


def test_on_this_machine_the_credentials_stay_in_the_environment(tmp_path: Path, home: Path) -> None:
    written = configured(tmp_path, home, "local[*]", spark_hadoop_fs_s3a_endpoint="http://elsewhere")
    assert written["spark.hadoop.fs.s3a.endpoint"] == SESSION["AWS_ENDPOINT_URL"]
    assert written["spark.hadoop.fs.s3.impl"] == s3a.FILE_SYSTEM
    assert written["spark.hadoop.fs.s3a.aws.credentials.provider"].split(",")[0] == ENVIRONMENT
    assert "hidden" not in str(written)
    assert "viewfs" not in str(written).lower()


def test_executors_elsewhere_get_the_session_and_the_jars(tmp_path: Path, home: Path) -> None:
    written = configured(tmp_path, home, "spark://10.0.0.5:7077", spark_jars="mine.jar")
    assert written["spark.hadoop.fs.s3a.secret.key"] == "hidden"
    assert written["spark.hadoop.fs.s3a.session.token"] == "token"
    jars = written["spark.jars"].split(",")
    assert [Path(jar).name for jar in jars] == [
        "mine.jar",
        "hadoop-aws-3.3.1.jar",
        "aws-java-sdk-bundle-1.11.901.jar",
    ]
