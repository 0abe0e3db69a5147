"""The environment of Apache Spark for EMR steps: its programs on the path, a way to `s3://`, the master set.

Spark comes with pyspark (the extra `emr`), Java from the machine. By Hadoop's S3A `s3://bucket/key` is read
and written over the wire, as the step's role. Where the setting `spark_s3` is `folder` it is the file of the
S3 service, which nobody's permission is asked for: Hadoop's ViewFileSystemOverloadScheme mounts each bucket's
folder. A bucket that does not exist when the job starts is not mounted, and the job cannot use it.
https://hadoop.apache.org/docs/stable/hadoop-project-dist/hadoop-hdfs/ViewFsOverloadScheme.html
"""

import importlib.util
import logging
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from xml.sax.saxutils import escape

from passrole import private_files
from passrole.config import Config
from passrole.runtimes import s3a
from passrole.runtimes.ml.environment import RenewedCredentials

log = logging.getLogger(__name__)

TEMPORARY = "tmp"
"""The job's folder for temporary files."""

UNCHECKED = "Spark reads and writes objects as files, and no permission is checked (spark_s3 is `folder`)"
"""What a person is told wherever it is so."""

_NO_S3A = (
    "Spark calls S3 as the role of each step by Hadoop's S3A, which is not installed: passrole doctor "
    "--install-s3a. To read and write objects as files, with no permission checked, set spark_s3 to folder"
)
_NO_YARN = "Spark finds YARN by Hadoop's configuration: set hadoop_conf_dir, or HADOOP_CONF_DIR"
_NO_FOLDER = (
    "the setting spark_s3 is `folder`, and s3_endpoint keeps the objects elsewhere: set spark_s3 to s3a"
)
CREDENTIALS = "credentials"
"""The job's folder for these. All of `conf` would go into a ConfigMap of Kubernetes, for others to read."""

_SCHEMES = ("s3", "s3a", "s3n")
LOOPBACK = "127.0.0.1"
_VIEW = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
_COMMITTER = "org.apache.hadoop.mapreduce.lib.output.FileOutputCommitterFactory"
_CHECKPOINTS_3 = "org.apache.spark.sql.execution.streaming.FileSystemBasedCheckpointFileManager"
_CHECKPOINTS_4 = "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"


class Spark:
    """The Spark and Java installations of this machine, found once."""

    def __init__(self, config: Config) -> None:
        self._master = config.spark_master
        self._data = config.data
        self._by_folder = config.spark_s3 == "folder"
        self._elsewhere = bool(config.s3_endpoint)
        self._jars_folder = config.s3a_jars
        self._java_home = config.java_home
        self._spark_home = config.spark_home
        self._hadoop_conf = config.hadoop_conf_dir

    def unavailable_reason(self) -> str | None:
        """Why Spark jobs cannot run on this machine, with advice; None if they can."""
        if self.home is None:
            return "Spark is not installed; install it with: pip install 'passrole[emr]'"
        if self.java is None:
            return (
                "Java is not installed: Spark needs a Java runtime, version 17, on the PATH or in JAVA_HOME"
            )
        return self.unfound_master() or self.unreachable_reason()

    def unfound_master(self) -> str | None:
        """Why Spark cannot find its master, with advice; None if it may."""
        return _NO_YARN if self._master == "yarn" and not self._hadoop_conf else None

    def unreachable_reason(self) -> str | None:
        """Why Spark cannot reach S3, with advice; None if it can."""
        if self._by_folder:
            return _NO_FOLDER if self._elsewhere else None
        return None if self.uses_s3a else _NO_S3A

    @cached_property
    def uses_s3a(self) -> bool:
        """Whether S3A is there, by which jobs reach S3 over the wire, as their roles."""
        if self.home is None or self._by_folder:
            return False
        return s3a.has_own(self.home) or bool(self.s3a_jars)

    @cached_property
    def s3a_jars(self) -> list[Path]:
        """The jars that Spark's own lack."""
        return s3a.jars(self._jars_folder, self.home) if self.home else []

    @property
    def objects(self) -> Path | None:
        """The folder of all objects that a job sees as files; None where it sees none."""
        return (self._data / "s3").resolve() if self._by_folder else None

    @cached_property
    def home(self) -> Path | None:
        """Spark's folder: by the setting, or pyspark's."""
        if self._spark_home:
            named = Path(self._spark_home)
            return named if (named / "bin" / "spark-submit").exists() else None
        found = importlib.util.find_spec("pyspark")
        return Path(found.origin).parent if found is not None and found.origin else None

    @cached_property
    def java(self) -> Path | None:
        """The Java executable that Spark will use."""
        named = Path(self._java_home) / "bin" / "java"
        if self._java_home and named.exists():
            return named
        found = shutil.which("java")
        return Path(found) if found else None

    @cached_property
    def version(self) -> str | None:
        """Spark's version, from the file name of its core."""
        names = (self.home / "jars").glob("spark-core_*.jar") if self.home else iter(())
        return next((name.stem.rpartition("-")[2] for name in names), None)

    def program(self, name: str) -> str | None:
        """The path of a program, on the PATH of jobs or of the server."""
        return shutil.which(name, path=self._path()) or shutil.which(name)

    @property
    def has_compiled_examples(self) -> bool:
        """Whether Spark has the examples of `run-example`; pip's Spark has only the Python ones."""
        return self.home is not None and any((self.home / "examples" / "jars").glob("*.jar"))

    def python_example(self, name: str) -> Path | None:
        """The Python version of a compiled example: `pi.py` for `SparkPi`."""
        words = "".join(f"_{each.lower()}" if each.isupper() else each for each in name.removeprefix("Spark"))
        if self.home is None or not words.replace("_", "").isalnum():
            return None
        found = self.home / "examples" / "src" / "main" / "python" / f"{words.lstrip('_')}.py"
        return found if found.exists() else None

    def configure(
        self,
        folder: Path,
        defaults: Mapping[str, str],
        exports: Mapping[str, str],
        session: Mapping[str, str],
        renewed: RenewedCredentials | None = None,
    ) -> None:
        """Write a job's configuration to its `folder`: a way to `s3://`, and `defaults` (a cluster's
        spark-defaults), which cannot override that and the master. `exports` are written to spark-env.sh,
        which Spark's programs read when they start. `session` are the job's variables of AWS; `renewed`
        is where executors elsewhere get credentials before these expire.
        """
        (folder / "conf").mkdir(parents=True, exist_ok=True)
        if self._by_folder:
            log.warning("%s: %s", folder, UNCHECKED)
            ways = self._by_files(folder / "conf")
        else:
            ways = self._by_wire(folder, defaults, session, renewed)
        properties = {**self._preset(), **defaults, **self._fixed(), **ways}
        lines = [f"{name} {value}" for name, value in properties.items()]
        configuration = folder / "conf" / "spark-defaults.conf"
        private_files.write(configuration, ("\n".join(lines) + "\n").encode())  # it may have a session
        exported = [f"export {name}={_quoted(value)}\n" for name, value in exports.items()]
        (folder / "conf" / "spark-env.sh").write_text("".join(exported))

    def with_shared(self, folder: Path, words: Sequence[str]) -> list[str]:
        """A job's command line, whose lists of files and jars replace those of the configuration: with what
        executors elsewhere need to reach S3.
        """
        shared = {} if self._is_local or not self.uses_s3a else self._shared(folder)
        lists = {f"--{name.removeprefix('spark.')}": paths for name, paths in shared.items()}
        before = ["", *words]
        return [",".join([word, *lists.get(option, ())]) for option, word in zip(before, words, strict=False)]

    def places(self) -> list[Path]:
        """Where Spark and Java are installed, and how they are told of a cluster."""
        java = self.java.resolve().parent.parent if self.java else None
        told = Path(self._hadoop_conf) if self._hadoop_conf else None
        return [place for place in (self.home, java, told, *self.s3a_jars) if place is not None]

    def variables(self, folder: Path, home: Path, given: Mapping[str, str]) -> dict[str, str]:
        """A job's environment variables: those for Spark and Python, and the given ones; none of the
        server's.

        PATH begins with Spark's programs and our own Python, so that `python3` in a script has the server's
        packages.
        """
        temporary = folder / TEMPORARY
        temporary.mkdir(parents=True, exist_ok=True)
        return {
            "PATH": self._path(),
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "PYTHONUNBUFFERED": "1",
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_CONF_DIR": str(folder / "conf"),
            "SPARK_LOCAL_DIRS": str(temporary),
            **({"SPARK_HOME": str(self.home)} if self.home else {}),
            **({"JAVA_HOME": self._java_home} if self._java_home else {}),
            **({"HADOOP_CONF_DIR": self._hadoop_conf} if self._hadoop_conf and not self._is_local else {}),
            **({"SPARK_DIST_CLASSPATH": s3a.class_path(self.s3a_jars)} if self.s3a_jars else {}),
            **({} if self._is_local else s3a.finding(_profile(folder))),
            **given,
        }

    def _path(self) -> str:
        own = [
            *([self.home / "bin"] if self.home else ()),
            Path(sys.executable).parent,
            *([self.java.parent] if self.java else ()),
        ]
        return ":".join([*map(str, own), "/usr/local/bin", "/usr/bin", "/bin"])

    def _preset(self) -> dict[str, str]:
        alone = self._is_local or self._master.startswith((f"spark://{LOOPBACK}", "spark://localhost"))
        return {
            # its web page would listen on all addresses
            "spark.ui.enabled": "false",
            **({"spark.driver.bindAddress": LOOPBACK, "spark.driver.host": LOOPBACK} if alone else {}),
        }

    @property
    def _is_local(self) -> bool:
        return self._master.startswith("local")

    def _fixed(self) -> dict[str, str]:
        newer = (self.version or "3").partition(".")[0] != "3"
        return {
            "spark.master": self._master,
            "spark.submit.deployMode": "client",
            # s3a's own committers are not part of Spark
            "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3a": _COMMITTER,
            "spark.sql.streaming.checkpointFileManagerClass": _CHECKPOINTS_4 if newer else _CHECKPOINTS_3,
        }

    def _by_wire(
        self,
        folder: Path,
        defaults: Mapping[str, str],
        session: Mapping[str, str],
        renewed: RenewedCredentials | None,
    ) -> dict[str, str]:
        """Executors elsewhere have neither the driver's environment nor its class path."""
        endpoint = session["AWS_ENDPOINT_URL"]
        if self._is_local:
            return s3a.settings(endpoint)
        if renewed is None:
            ways = s3a.settings(endpoint, session, [s3a.OF_A_SESSION])
        else:
            s3a.write_profile(_profile(folder), renewed)
            found = s3a.finding(Path(s3a.PROFILE))  # files are in an executor's working folder
            executors = {**found, "AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true"}
            ways = {
                **s3a.settings(endpoint, providers=[s3a.profile_provider(self._jars())]),
                **{f"spark.executorEnv.{name}": value for name, value in executors.items()},
            }
        for name, paths in self._shared(folder).items():
            ways[name] = ",".join([*filter(None, [defaults.get(name)]), *paths])
        return ways

    def _shared(self, folder: Path) -> dict[str, list[str]]:
        """What executors elsewhere are sent, by Spark's property."""
        profile = _profile(folder)
        paths = {"spark.jars": self.s3a_jars, "spark.files": [profile] if profile.exists() else []}
        return {name: [str(path) for path in found] for name, found in paths.items() if found}

    def _jars(self) -> list[Path]:
        return self.s3a_jars or (sorted((self.home / "jars").glob("*.jar")) if self.home else [])

    def _by_files(self, configuration: Path) -> dict[str, str]:
        mounts = configuration / "mounts"
        mounts.mkdir(exist_ok=True)
        (mounts / "mount-table.1.xml").write_text(_mount_table((self._data / "s3").resolve()))
        return {
            "spark.hadoop.fs.viewfs.mounttable.path": f"file://{mounts.resolve()}/",
            "spark.hadoop.fs.rawlocal.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
            **{f"spark.hadoop.fs.{scheme}.impl": _VIEW for scheme in _SCHEMES},
        }


def _profile(folder: Path) -> Path:
    return folder / CREDENTIALS / s3a.PROFILE


def _mount_table(objects: Path) -> str:
    there = objects.iterdir() if objects.exists() else iter(())
    buckets = sorted(each.name for each in there if each.is_dir())
    links = "".join(
        f"<property><name>fs.viewfs.mounttable.{escape(bucket)}.linkFallback</name>"
        f"<value>rawlocal://{escape(str(objects / bucket))}</value></property>\n"
        for bucket in buckets
    )
    return f"<configuration>\n{links}</configuration>\n"


def _quoted(value: str) -> str:
    """A quoted value for the shell that expands variables and runs no commands."""
    text = value.replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`").replace("$(", "\\$(")
    return f'"{text}"'
