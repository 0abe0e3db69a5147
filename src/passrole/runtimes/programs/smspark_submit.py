"""`smspark-submit` of AWS's Spark image: its options and the job's configuration, given to spark-submit.

    python smspark_submit.py [--class NAME] [--jars LIST] [--py-files LIST] [--files LIST] [-v]
        [--spark-event-logs-s3-uri URI] [--local-spark-event-logs-dir DIR] APP [ARGUMENT ...]

A list may name folders, whose files it then means. EMR's classifications, which the SDK puts into
`/opt/ml/processing/input/conf/configuration.json`, become files in a copy of SPARK_CONF_DIR; what the
platform has set there has the last word, so that the master and the place of `s3://` stay. Then this process
becomes `spark-submit`, which so gets its signals and gives its exit code.

There is no Hadoop to start: classifications for its daemons are passed over with a warning. Of several hosts
the first runs everything. AWS joins the command into one line for a shell; here an argument stays one.
https://github.com/aws/sagemaker-spark-container
https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-configure-apps.html
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn
from xml.sax.saxutils import escape

GUIDE = "https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-configure-apps.html"
LISTS = ("--jars", "--py-files", "--files")
EVENTS_TO_S3, EVENTS_TO_FOLDER = "--spark-event-logs-s3-uri", "--local-spark-event-logs-dir"
VALUED = ("--class", *LISTS, EVENTS_TO_S3, EVENTS_TO_FOLDER)
DEFAULTS = "spark-defaults.conf"
FILES = {
    "core-site": "core-site.xml",
    "hadoop-env": None,
    "hadoop-log4j": None,
    "hive-env": None,
    "hive-log4j": None,
    "hive-exec-log4j": None,
    "hive-site": "hive-site.xml",
    "spark-defaults": DEFAULTS,
    "spark-env": "spark-env.sh",
    "spark-log4j": "log4j2.properties",
    "spark-log4j2": "log4j2.properties",
    "spark-hive-site": "hive-site.xml",
    "spark-metrics": "metrics.properties",
    "yarn-env": None,
    "yarn-site": None,
}


class Refused(Exception):
    """What the user can mend, as a sentence."""


def main(words: list[str]) -> int:
    """Become spark-submit; the exit code where that does not come about."""
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    try:
        options, application = parsed(words)
        command = [_program(), *spark_options(options), *application]
        if not _is_primary(base):
            _say("the first host runs the application; this one has nothing to do")
            return 0
        configuration = base / "processing/input/conf/configuration.json"
        conf = configured(_classifications(configuration), _event_log(options))
    except Refused as error:
        _say(str(error))
        return 1
    _tell_of_s3(options)
    return _become(command, {**os.environ, "SPARK_CONF_DIR": str(conf)})


def parsed(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """The options by name, and the application with its arguments, which are left as they are."""
    options: dict[str, str] = {}
    rest = list(words)
    while rest and rest[0].startswith("-"):
        name, has_value, value = rest.pop(0).partition("=")
        if name == "--":
            break
        if name in ("-v", "--verbose"):
            options["--verbose"] = ""
        elif name not in VALUED:
            raise Refused(f"No such option: {name}")
        elif has_value or rest:
            options[name] = value if has_value else rest.pop(0)
        else:
            raise Refused(f"Option '{name}' requires an argument.")
    if not rest:
        raise Refused("Missing argument 'APP'.")
    return options, rest


def spark_options(options: dict[str, str]) -> list[str]:
    """What spark-submit takes of the options, with folders written out."""
    words = []
    for name, value in options.items():
        if name == "--verbose":
            words.append(name)
        elif name in LISTS:
            words += [name, ",".join(path for each in value.split(",") for path in _files(each))]
        elif name == "--class":
            words += [name, value]
    return words


def configured(classifications: list[dict[str, Any]], event_log: dict[str, str]) -> Path:
    """A folder of configuration for this run: the platform's, and in it what the user has set."""
    place = Path(tempfile.mkdtemp(prefix="conf-"))
    given = os.environ.get("SPARK_CONF_DIR")
    if given and Path(given).is_dir():
        shutil.rmtree(place)
        shutil.copytree(given, place)
    _write(place / DEFAULTS, _conf(event_log))
    for each in reversed(classifications):  # each is written above what is there, and the last line counts
        name = each.get("Classification")
        if name not in FILES:
            sentence = f"Invalid classification: {name}. Must be one of {list(FILES)}."
            raise Refused(f"{sentence} Please refer to {GUIDE} for more information.")
        file = FILES[str(name)]
        if file is None:
            _say(f"{name} is passed over: no Hadoop or Hive is started here")
        else:
            _write(place / file, _rendered(file, each))
    return place


def _files(path: str) -> list[str]:
    if path.startswith(("s3://", "s3a://")):
        return [path]
    place = Path(path[len("file://") :] if path.startswith("file://") else path)
    if not path:
        raise Refused("Empty file path")
    if not place.is_absolute():
        raise Refused(f"file path {path} must be an absolute path to a file or directory")
    if place.is_file():
        return [str(place)]
    if not place.is_dir():
        raise Refused(f"file path {path} does not exist")
    found = sorted(str(each) for each in place.iterdir() if each.is_file())
    if not found:
        raise Refused(f"Found zero files in {path}")
    return found


def _event_log(options: dict[str, str]) -> dict[str, str]:
    place = options.get(EVENTS_TO_S3)
    folder = options.get(EVENTS_TO_FOLDER)
    if not place and folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        place = Path(folder).absolute().as_uri()
    return {"spark.eventLog.enabled": "true", "spark.eventLog.dir": place} if place else {}


def _classifications(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path} is no JSON: {error}") from None
    every = [found] if isinstance(found, dict) else found
    if not isinstance(every, list) or not all(isinstance(each, dict) for each in every):
        raise Refused(f"Could not determine type of user configuration. Please consult {GUIDE}")
    return every


def _rendered(file: str, classification: dict[str, Any]) -> str:
    if file.endswith(".sh"):
        return _exports(classification.get("Configurations") or [])
    properties = classification.get("Properties") or {}
    if not isinstance(properties, dict):
        raise Refused(f"The properties of {classification['Classification']} are no object")
    if file.endswith(".xml"):
        return "".join(
            f"  <property><name>{escape(name)}</name><value>{escape(str(value))}</value></property>\n"
            for name, value in properties.items()
        )
    return _conf(properties)


def _conf(properties: dict[str, Any]) -> str:
    """Lines as Java reads properties; a line break in a value is written so that it stays in it."""
    lines = [f"{name} {value}" for name, value in properties.items()]
    return "".join(line.replace("\r", "\\r").replace("\n", "\\n") + "\n" for line in lines)


def _exports(configurations: list[Any]) -> str:
    """Lines for the shell, in which variables count and commands do not."""
    if not configurations:
        raise Refused(
            f"'env' classifications require a sub-configuration. Please refer to {GUIDE} for more information"
        )
    lines = []
    for each in configurations:
        if not isinstance(each, dict) or each.get("Classification") != "export":
            raise Refused(
                "env classifications must use the 'export' sub-classification."
                f" Please refer to {GUIDE} for more information."
            )
        for name, value in (each.get("Properties") or {}).items():
            if not name.isidentifier() or not name.isascii():
                raise Refused(f"{name!r} is no name of an environment variable")
            text = (
                str(value).replace("\\", "\\\\").replace('"', '\\"').replace("`", "\\`").replace("$(", "\\$(")
            )
            lines.append(f'export {name}="{text}"\n')
    return "".join(lines)


def _write(path: Path, text: str) -> None:
    """Add to a file, so that what the platform has written in it counts."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    if path.suffix == ".xml":
        inner = before.partition("<configuration>")[2].partition("</configuration>")[0]
        path.write_text(f"<configuration>\n{text}{inner}</configuration>\n", encoding="utf-8")
    else:
        path.write_text(text + before, encoding="utf-8")


def _is_primary(base: Path) -> bool:
    path = base / "config/resourceconfig.json"
    if not path.exists():
        return True
    resources = json.loads(path.read_text(encoding="utf-8"))
    return bool(resources["current_host"] == min(resources["hosts"]))


def _program() -> str:
    """Spark's own program: the one that pip puts on the PATH may belong to another Spark."""
    home = os.environ.get("SPARK_HOME")
    return str(Path(home) / "bin/spark-submit") if home else "spark-submit"


def _become(command: list[str], environment: dict[str, str]) -> int:
    _say(f"running spark submit command: {' '.join(command)}")
    try:
        _exec(command, environment)
    except FileNotFoundError:
        _say("spark-submit is not on the PATH; install pyspark into the environment of the job")
        return 1


def _tell_of_s3(options: dict[str, str]) -> None:
    home = os.environ.get("SPARK_HOME")
    if home and "--jars" not in options and not any(Path(home, "jars").glob("hadoop-aws-*.jar")):
        _say("Spark has no hadoop-aws: s3:// cannot be opened, only what is below /opt/ml")


def _say(text: str) -> None:
    sys.stderr.write(f"smspark-submit: {text}\n")
    sys.stderr.flush()


def _exec(command: list[str], environment: dict[str, str]) -> NoReturn:
    os.execvpe(command[0], command, environment)  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
