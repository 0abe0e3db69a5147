"""Which jars of S3A serve which Spark, and what Spark is told of S3."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from passrole.config import Config
from passrole.runtimes import s3a
from passrole.runtimes.ml.environment import RenewedCredentials
from passrole.runtimes.spark import CREDENTIALS, Spark

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
    assert (spark.uses_s3a, spark.objects is None) == (uses, way == "s3a")
    assert ("doctor --install-s3a" in (spark.unavailable_reason() or "")) == refused


def test_objects_elsewhere_need_s3a(home: Path, java: Path) -> None:
    config = Config(spark_home=str(home), java_home=str(java), s3_endpoint="http://127.0.0.1:9000")
    assert "doctor --install-s3a" in (Spark(config).unavailable_reason() or "")
    by_folder = dataclasses.replace(config, spark_s3="folder")
    assert "set spark_s3 to s3a" in (Spark(by_folder).unavailable_reason() or "")


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


RENEWED = RenewedCredentials("http://10.0.0.4:4566/_passrole/job-credentials/emr-step/a/b/c/1", "secret")


@pytest.fixture
def cluster(tmp_path: Path, home: Path) -> Spark:
    """A Spark whose executors are elsewhere, and a job that it is configured for."""
    there = folder_with(tmp_path / "jars", "hadoop-aws-3.3.1.jar", "aws-java-sdk-bundle-1.11.901.jar")
    config = Config(
        data=tmp_path, spark_home=str(home), spark_master="spark://10.0.0.5:7077", s3a_jars=str(there)
    )
    spark = Spark(config)
    spark.configure(tmp_path, {"spark.files": "mine.txt"}, {}, SESSION, RENEWED)
    return spark


def test_executors_elsewhere_get_a_way_to_credentials_and_none(cluster: Spark, tmp_path: Path) -> None:
    text = (tmp_path / "conf/spark-defaults.conf").read_text()
    written = dict(line.split(" ", 1) for line in text.splitlines())
    assert "hidden" not in text and "secret" not in text
    profile = tmp_path / CREDENTIALS / s3a.PROFILE
    assert written["spark.files"] == f"mine.txt,{profile}"
    assert written["spark.executorEnv.AWS_CREDENTIAL_PROFILES_FILE"] == s3a.PROFILE
    assert profile.stat().st_mode & 0o077 == 0
    assert cluster.variables(tmp_path, tmp_path, {})["AWS_CREDENTIAL_PROFILES_FILE"] == str(profile)


def test_an_sdk_asks_again_by_the_profiles_command(cluster: Spark, tmp_path: Path) -> None:
    """The command as it stands in the file, with an answerer in curl's place."""
    asked = tmp_path / "asked"
    curl = tmp_path / "bin/curl"
    curl.parent.mkdir()
    answer = json.dumps({"Version": 1, "AccessKeyId": "k", "SecretAccessKey": "s", "SessionToken": "t"})
    curl.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" >> {asked}\necho '{answer}'\n")
    curl.chmod(0o755)
    environment = {"PATH": f"{curl.parent}:/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)}
    environment |= cluster.variables(tmp_path, tmp_path, environment)
    asks = "import boto3; print(boto3.Session().get_credentials().access_key)"
    ran = subprocess.run([sys.executable, "-c", asks], env=environment, capture_output=True, text=True)
    assert ran.stdout == "k\n", ran.stderr
    assert {"Authorization: secret", RENEWED.uri} <= set(asked.read_text().splitlines())


def test_lists_of_the_command_line_have_what_executors_need(cluster: Spark, tmp_path: Path) -> None:
    words = ["spark-submit", "--files", "a.txt", "--jars", "b.jar", "job.py", "x"]
    files, jars = (cluster.with_shared(tmp_path, words)[at].split(",") for at in (2, 4))
    assert files == ["a.txt", str(tmp_path / CREDENTIALS / s3a.PROFILE)]
    assert [Path(jar).name for jar in jars] == [
        "b.jar",
        "hadoop-aws-3.3.1.jar",
        "aws-java-sdk-bundle-1.11.901.jar",
    ]
    assert cluster.with_shared(tmp_path, ["spark-submit", "job.py"]) == ["spark-submit", "job.py"]


def test_each_sdk_has_its_own_reader_of_profiles() -> None:
    assert s3a.profile_provider([Path("aws-java-sdk-bundle-1.11.901.jar")]).startswith("com.amazonaws.")
    assert s3a.profile_provider([Path("bundle-2.24.6.jar")]).startswith("software.amazon.awssdk.")
