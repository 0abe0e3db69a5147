"""What a HadoopJarStep becomes: a table."""

from typing import Any

import pytest

from passrole.services.emr.commands import SCRIPT, Unsupported, plan, split_uri
from passrole.services.emr.records import EmrStep

RUNNER = "command-runner.jar"
SCRIPTS = "s3://us-east-1.elasticmapreduce/libs/script-runner/script-runner.jar"
SUBMIT = "spark-submit"

CASES = [
    (RUNNER, [SUBMIT, "s3://b/j.py"], [SUBMIT, "s3://b/j.py"]),
    (RUNNER, [SUBMIT, "--deploy-mode", "cluster", "s3://b/j.py", "a"], [SUBMIT, "s3://b/j.py", "a"]),
    (RUNNER, [SUBMIT, "--master", "yarn", "--deploy-mode", "client", "j.py"], [SUBMIT, "j.py"]),
    (RUNNER, [SUBMIT, "--master=yarn", "--deploy-mode=cluster", "j.py"], [SUBMIT, "j.py"]),
    (RUNNER, [SUBMIT, "--conf", "a=b", "--master", "yarn", "j.py"], [SUBMIT, "--conf", "a=b", "j.py"]),
    (RUNNER, [SUBMIT, "--verbose", "--master", "yarn", "j.py"], [SUBMIT, "--verbose", "j.py"]),
    (RUNNER, [SUBMIT, "--py-files", "s3://b/x.py", "j.py"], [SUBMIT, "--py-files", "s3://b/x.py", "j.py"]),
    # what stands behind the program is the program's, whatever it is called
    (RUNNER, [SUBMIT, "j.py", "--master", "yarn"], [SUBMIT, "j.py", "--master", "yarn"]),
    (RUNNER, [SUBMIT, "j.py", "--deploy-mode=x"], [SUBMIT, "j.py", "--deploy-mode=x"]),
    (RUNNER, ["spark-sql", "--master", "yarn", "-f", "q.sql"], ["spark-sql", "-f", "q.sql"]),
    (RUNNER, ["bash", "-c", "echo a; echo b"], ["bash", "-c", "echo a; echo b"]),
    (RUNNER, ["python3", "-c", "print(1)"], ["python3", "-c", "print(1)"]),
    (RUNNER, ["spark-example", "SparkPi", "10"], ["run-example", "SparkPi", "10"]),
    (RUNNER, ["spark-example", "--master", "yarn", "SparkPi"], ["run-example", "SparkPi"]),
    (SCRIPTS, ["s3://b/x.sh", "a"], ["bash", SCRIPT, "a"]),
    (SCRIPTS, ["/opt/x.sh", "a"], ["bash", "/opt/x.sh", "a"]),
    ("s3://b/app.jar", ["in", "out"], [SUBMIT, "s3://b/app.jar", "in", "out"]),
]

REFUSED = [
    (RUNNER, [], "name of a program"),
    (RUNNER, ["hive-script", "--run"], "cannot run `hive-script` here"),
    (RUNNER, ["s3-dist-cp", "--src=a"], "cannot run `s3-dist-cp` here"),
    (RUNNER, ["rm", "-rf", "/"], "cannot run `rm` here"),
    (RUNNER, ["spark-example"], "name of an example"),
    (SCRIPTS, [], "location of a script"),
    ("s3://b/app", [], "is not a jar"),
]


def made(jar: str, args: list[str], **more: Any) -> EmrStep:
    return EmrStep("c", "s-1", 1, "n", "CONTINUE", 0.0, jar=jar, args=args, **more)


@pytest.mark.parametrize(("jar", "args", "expected"), CASES, ids=lambda value: str(value)[:40])
def test_a_step_is_a_command(jar: str, args: list[str], expected: list[str]) -> None:
    assert list(plan(made(jar, args)).command) == expected


@pytest.mark.parametrize(("jar", "args", "reason"), REFUSED, ids=lambda value: str(value)[:40])
def test_or_there_is_a_reason_why_not(jar: str, args: list[str], reason: str) -> None:
    with pytest.raises(Unsupported, match=reason):
        plan(made(jar, args))


def test_a_jar_has_its_class_and_its_properties() -> None:
    step = made("s3://b/a.jar", ["x"], main_class="org.example.Main", properties={"mapred.k": "v"})
    expected = "spark-submit --class org.example.Main --conf spark.hadoop.mapred.k=v s3://b/a.jar x"
    assert " ".join(plan(step).command) == expected


def test_only_what_runs_spark_needs_it() -> None:
    assert plan(made(RUNNER, [SUBMIT, "j.py"])).needs_spark
    assert plan(made("a.jar", [])).needs_spark
    assert not plan(made(RUNNER, ["bash", "-c", "true"])).needs_spark


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://b/k", ("b", "k")),
        ("s3a://b/a/b", ("b", "a/b")),
        ("s3n://b/k", ("b", "k")),
        ("s3://b", None),
        ("s3://b/", None),
        ("/x/y", None),
        ("https://b/k", None),
    ],
)
def test_an_object_has_a_bucket_and_a_key(uri: str, expected: tuple[str, str] | None) -> None:
    assert split_uri(uri) == expected


@pytest.mark.parametrize("name", ["aws", "hadoop", "s3-dist-cp", "rm"])
def test_what_the_machine_has_runs_and_what_it_has_not_is_named(name: str) -> None:
    step = made(RUNNER, [name, "a"])
    assert plan(step, lambda program: program == name).command == (name, "a")
    with pytest.raises(Unsupported, match=f"cannot run `{name}` here: this machine has no such program"):
        plan(step, lambda program: program != name)


def test_an_example_is_found_behind_the_options() -> None:
    step = made(RUNNER, ["spark-example", "--conf", "a=b", "--verbose", "SparkPi", "2"])
    assert plan(step).example == "SparkPi"
