"""What a step's HadoopJarStep means on this machine: a command line, or a reason why there is none.

EMR's two jars run programs: command-runner.jar the one that its first argument names, script-runner.jar a
script that lies in S3. Everything else is a Java program. It starts nothing and reads nothing: the
caller says which programs the machine has.
https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-commandrunner.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from passrole.services.emr.records import EmrStep

COMMAND_RUNNER = "command-runner.jar"
SCRIPT_RUNNER = "script-runner.jar"
_MASTER_OPTIONS = ("--master", "--deploy-mode")
_SHELLS = ("bash", "sh", "python3", "python")
_SPARK = ("spark-submit", "spark-sql", "spark-shell", "pyspark")


class Unsupported(Exception):
    """The step asks for something that is not here; the message says what, for whoever reads the step."""


@dataclass(frozen=True)
class Plan:
    """A command line. Where it has `script`, an object's URI, the object is fetched first and stands at
    SCRIPT. `example` says that it is one of Spark's own examples, by its name.
    """

    command: tuple[str, ...]
    needs_spark: bool = False
    script: str | None = None
    example: str | None = None


def _has_nothing(_program: str) -> bool:
    return False


SCRIPT = "{script}"


def plan(step: EmrStep, has: Callable[[str], bool] = _has_nothing) -> Plan:
    """How the step is run; `has` says whether the machine has a program. Raises Unsupported."""
    name = step.jar.rpartition("/")[2]
    if name == COMMAND_RUNNER:
        return _program(step.args, has)
    if name == SCRIPT_RUNNER:
        return _script(step.args)
    return _java(step)


def split_uri(uri: str) -> tuple[str, str] | None:
    """Bucket and key of an `s3://` URI (or `s3a`, `s3n`); None for anything else."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    return (bucket, key) if scheme in ("s3", "s3a", "s3n") and bucket and key else None


def without_master(args: Sequence[str]) -> list[str]:
    """The arguments without master and deploy mode, as far as they are spark-submit's and not the program's.

    Spark runs where the setting `spark_master` says; EMR's scripts say `yarn`, and mean the cluster.
    """
    kept: list[str] = []
    rest = list(args)
    while rest:
        word = rest.pop(0)
        name, has_value, _ = word.partition("=")
        if name in _MASTER_OPTIONS:
            if not has_value and rest:
                rest.pop(0)
            continue
        kept.append(word)
        if not word.startswith("-"):  # the program; what follows is its own
            return [*kept, *rest]
        if rest and not has_value and word not in _FLAGS:
            kept.append(rest.pop(0))
    return kept


def _program(args: Sequence[str], has: Callable[[str], bool]) -> Plan:
    if not args:
        raise Unsupported("command-runner.jar needs the name of a program as its first argument")
    name, *rest = args
    runner = _RUNNERS.get(name)
    if runner is not None:
        return runner(name, rest)
    if has(name):
        return Plan((name, *rest))
    known = ", ".join(_RUNNERS)
    raise Unsupported(
        f"command-runner.jar cannot run `{name}` here: this machine has no such program; it runs {known}, and"
        " what is on the path"
    )


def _spark(name: str, args: Sequence[str]) -> Plan:
    return Plan((name, *without_master(args)), needs_spark=True)


def _example(_name: str, args: Sequence[str]) -> Plan:
    """https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-spark-submit-step.html"""
    kept = without_master(args)
    if not kept:
        raise Unsupported("spark-example needs the name of an example as its first argument")
    return Plan(("run-example", *kept), needs_spark=True, example=_first_word(kept))


def _first_word(words: Sequence[str]) -> str:
    """The program behind spark-submit's own options, as `without_master` reads them."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            return word
        if rest and "=" not in word and word not in _FLAGS:
            rest.pop(0)
    return ""


def _shell(name: str, args: Sequence[str]) -> Plan:
    return Plan((name, *args))


def _script(args: Sequence[str]) -> Plan:
    if not args:
        raise Unsupported("script-runner.jar needs the location of a script as its first argument")
    script, *rest = args
    if split_uri(script) is None:
        return Plan(("bash", script, *rest))
    return Plan(("bash", SCRIPT, *rest), script=script)


def _java(step: EmrStep) -> Plan:
    if not step.jar.endswith(".jar"):
        raise Unsupported(f"`{step.jar}` is not a jar")
    named = ("--class", step.main_class) if step.main_class else ()
    conf = [
        part for key, value in step.properties.items() for part in ("--conf", f"spark.hadoop.{key}={value}")
    ]
    return Plan(("spark-submit", *named, *conf, step.jar, *step.args), needs_spark=True)


_FLAGS = ("--verbose", "-v", "--supervise", "--help", "-h", "--version", "--usage-error")

_RUNNERS: Mapping[str, Callable[[str, Sequence[str]], Plan]] = {
    **dict.fromkeys(_SPARK, _spark),
    "spark-example": _example,
    **dict.fromkeys(_SHELLS, _shell),
}
