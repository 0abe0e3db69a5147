"""Options and configuration of smspark-submit, as spark-submit gets them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.runtimes.programs.training_folder import PROGRAMS, other_python

PROGRAM = PROGRAMS / "smspark_submit.py"
SPARK_SUBMIT = """\
#!{python}
import json, os, pathlib, sys
conf = pathlib.Path(os.environ["SPARK_CONF_DIR"])
files = {{path.name: path.read_text() for path in conf.iterdir() if path.is_file()}}
print(json.dumps({{"argv": sys.argv[1:], "conf": files}}))
sys.exit(int(os.environ.get("FAILS", "0")))
"""
PLATFORM = {"spark-defaults.conf": "spark.master local[*]\n", "spark-env.sh": "export A=1\n"}


class Job:
    """A processing job whose spark-submit tells what it was given."""

    def __init__(self, place: Path) -> None:
        self.ml = place / "ml"
        self._place = place
        for folder in ("ml/processing/input/conf", "ml/config", "bin", "conf"):
            (place / folder).mkdir(parents=True)
        fake = place / "bin/spark-submit"
        fake.write_text(SPARK_SUBMIT.format(python=sys.executable))
        fake.chmod(0o755)
        for name, text in PLATFORM.items():
            (place / "conf" / name).write_text(text)

    def configure(self, configuration: Any) -> None:
        text = configuration if isinstance(configuration, str) else json.dumps(configuration)
        (self.ml / "processing/input/conf/configuration.json").write_text(text)

    def run(
        self, *words: str, python: str = sys.executable, **more: str
    ) -> "subprocess.CompletedProcess[str]":
        environment = {
            "PATH": f"{self._place / 'bin'}:/usr/bin:/bin",
            "SPARK_CONF_DIR": str(self._place / "conf"),
            "SAGEMAKER_BASE_DIR": str(self.ml),
            "TMPDIR": str(self._place),
            **more,
        }
        return subprocess.run([python, str(PROGRAM), *words], capture_output=True, text=True, env=environment)

    def seen(self, *words: str, **more: str) -> Any:
        done = self.run(*words, **more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


@pytest.mark.parametrize(
    "words, argv",
    [
        (["/a.py"], ["/a.py"]),
        (["/a.py", "--x", "1", "-v", "--jars", "no"], ["/a.py", "--x", "1", "-v", "--jars", "no"]),
        (["--class", "a.B", "/a.jar"], ["--class", "a.B", "/a.jar"]),
        (["--class=a.B", "-v", "/a.jar"], ["--class", "a.B", "--verbose", "/a.jar"]),
        (["--verbose", "--", "--odd"], ["--verbose", "--odd"]),
        (
            ["--jars", "s3://b/a.jar,s3a://b/b.jar", "/a.py"],
            ["--jars", "s3://b/a.jar,s3a://b/b.jar", "/a.py"],
        ),
        (["/a.py", "two words", "$(id); x", "a\nb", ""], ["/a.py", "two words", "$(id); x", "a\nb", ""]),
    ],
)
def test_options_come_before_the_application_and_what_follows_is_its_own(
    job: Job, words: list[str], argv: list[str]
) -> None:
    assert job.seen(*words)["argv"] == argv


@pytest.mark.parametrize("option", ["--jars", "--py-files", "--files"])
def test_a_folder_stands_for_its_files(job: Job, option: str, tmp_path: Path) -> None:
    (tmp_path / "lib/below").mkdir(parents=True)
    for name in ("b", "a", "below/c"):
        (tmp_path / "lib" / name).touch()
    lib = tmp_path / "lib"
    given = f"{lib},file://{lib}/below/c,s3://b/k"
    assert job.seen(option, given, "/a.py")["argv"] == [
        *(option, f"{lib}/a,{lib}/b,{lib}/below/c,s3://b/k"),
        "/a.py",
    ]


@pytest.mark.parametrize(
    "words, says",
    [
        ([], "Missing argument 'APP'."),
        (["-v"], "Missing argument 'APP'."),
        (["--conf", "a=b", "/a.py"], "No such option: --conf"),
        (["--class"], "Option '--class' requires an argument."),
        (
            ["--jars", "lib/a.jar", "/a.py"],
            "file path lib/a.jar must be an absolute path to a file or directory",
        ),
        (["--jars", "/nowhere", "/a.py"], "file path /nowhere does not exist"),
        (["--files", "", "/a.py"], "Empty file path"),
    ],
)
def test_what_cannot_be_submitted_is_said(job: Job, words: list[str], says: str) -> None:
    done = job.run(*words)
    assert (done.returncode, done.stderr) == (1, f"smspark-submit: {says}\n")


def test_an_empty_folder_is_said_to_be_so(job: Job, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    assert f"Found zero files in {tmp_path}/lib" in job.run("--jars", f"{tmp_path}/lib", "/a.py").stderr


def test_classifications_become_files_and_the_platform_has_the_last_word(job: Job) -> None:
    job.configure(
        [
            {"Classification": "spark-defaults", "Properties": {"spark.master": "yarn", "spark.x": "1\n2"}},
            {"Classification": "core-site", "Properties": {"a.b": "<&>"}},
            {"Classification": "spark-log4j", "Properties": {"rootLogger.level": "warn"}},
            {
                "Classification": "spark-env",
                "Properties": {},
                "Configurations": [{"Classification": "export", "Properties": {"B": '$A "$(id)" `id`'}}],
            },
            {"Classification": "yarn-site", "Properties": {"x": "y"}},
        ]
    )
    conf = job.seen("/a.py")["conf"]
    assert conf["spark-defaults.conf"] == "spark.master yarn\nspark.x 1\\n2\nspark.master local[*]\n"
    told = "  <property><name>a.b</name><value>&lt;&amp;&gt;</value></property>\n"
    assert conf["core-site.xml"] == f"<configuration>\n{told}</configuration>\n"
    assert conf["log4j2.properties"] == "rootLogger.level warn\n"
    assert conf["spark-env.sh"] == 'export B="$A \\"\\$(id)\\" \\`id\\`"\nexport A=1\n'
    assert "yarn-site.xml" not in conf


def test_one_classification_may_stand_alone(job: Job) -> None:
    job.configure({"Classification": "spark-defaults", "Properties": {"spark.x": 1}})
    assert job.seen("/a.py")["conf"]["spark-defaults.conf"] == "spark.x 1\nspark.master local[*]\n"


def test_of_two_values_the_later_counts(job: Job) -> None:
    job.configure(
        [
            {"Classification": name, "Properties": {"k": value}}
            for name in ("spark-defaults", "core-site")
            for value in ("1", "2")
        ]
    )
    conf = job.seen("/a.py")["conf"]
    assert conf["spark-defaults.conf"] == "k 1\nk 2\nspark.master local[*]\n"
    assert conf["core-site.xml"].index(">1<") < conf["core-site.xml"].index(">2<")


@pytest.mark.parametrize(
    "configuration, says",
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("7", "Could not determine type of user configuration."),
        ([7], "Could not determine type of user configuration."),
        ([{"Classification": "spark"}], "Invalid classification: spark. Must be one of ['core-site', "),
        ([{}], "Invalid classification: None."),
        ([{"Classification": "spark-env"}], "'env' classifications require a sub-configuration."),
        (
            [{"Classification": "spark-env", "Configurations": [{"Classification": "x"}]}],
            "env classifications must use the 'export' sub-classification.",
        ),
        (
            [
                {
                    "Classification": "spark-env",
                    "Configurations": [{"Classification": "export", "Properties": {"a;id": "x"}}],
                }
            ],
            "'a;id' is no name of an environment variable",
        ),
        (
            [{"Classification": "spark-defaults", "Properties": "x"}],
            "The properties of spark-defaults are no object",
        ),
    ],
)
def test_a_configuration_that_is_none_is_said(job: Job, configuration: Any, says: str) -> None:
    job.configure(configuration)
    done = job.run("/a.py")
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_event_logs_go_where_the_job_says(job: Job, tmp_path: Path) -> None:
    folder = tmp_path / "spark events"
    conf = job.seen("--local-spark-event-logs-dir", str(folder), "/a.py")["conf"]["spark-defaults.conf"]
    assert f"spark.eventLog.dir file://{tmp_path}/spark%20events\n" in conf
    assert folder.is_dir()
    conf = job.seen("--spark-event-logs-s3-uri", "s3://b/logs", "/a.py")["conf"]["spark-defaults.conf"]
    assert conf.startswith("spark.eventLog.enabled true\nspark.eventLog.dir s3://b/logs\n")


@pytest.mark.parametrize("host, runs", [("algo-1", True), ("algo-2", False)])
def test_of_several_hosts_the_first_runs_everything(job: Job, host: str, runs: bool) -> None:
    resources = {"current_host": host, "hosts": ["algo-2", "algo-1"]}
    (job.ml / "config/resourceconfig.json").write_text(json.dumps(resources))
    done = job.run("/a.py")
    assert done.returncode == 0
    assert ("argv" in done.stdout) == runs


def test_the_exit_code_is_sparks(job: Job) -> None:
    assert job.run("/a.py", FAILS="3").returncode == 3


def test_without_spark_it_says_what_to_install(job: Job) -> None:
    done = job.run("/a.py", PATH="/nowhere")
    assert done.returncode == 1
    assert done.stderr.endswith(
        "spark-submit is not on the PATH; install pyspark into the environment of the job\n"
    )


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_it_needs_no_more_than_an_old_python(job: Job, version: str) -> None:
    assert job.run("/a.py", python=other_python(version)).returncode == 0


def test_spark_is_the_one_that_the_platform_names(job: Job, tmp_path: Path) -> None:
    named = tmp_path / "named"
    (named / "jars").mkdir(parents=True)
    (named / "bin").mkdir()
    (tmp_path / "bin/spark-submit").rename(named / "bin/spark-submit")
    done = job.run("/a.py", SPARK_HOME=str(named))
    assert done.returncode == 0, done.stderr
    assert "Spark has no hadoop-aws" in done.stderr
    (named / "jars/hadoop-aws-3.3.4.jar").touch()
    assert "hadoop-aws" not in job.run("/a.py", SPARK_HOME=str(named)).stderr
