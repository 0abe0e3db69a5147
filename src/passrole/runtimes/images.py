"""Maps a container image to the form in which its job runs: without a container wherever that is possible.

Version tags have no effect without a container: a job runs in the user's environment. An image without a form
is refused when the job starts, never when it is created, and the message says what to do.
"""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

from passrole.config import ImageRule
from passrole.runtimes import notebook_job, remote_function
from passrole.runtimes.image_names import repository

Form = Literal[
    "entrypoint",
    "script",
    "function",
    "notebook",
    "xgboost",
    "spark",
    "quality analyser",
    "bias analyser",
    "command",
    "container",
    "serving script",
    "serving xgboost",
]

_SCRIPT_REPOSITORIES = (
    "sagemaker-scikit-learn",
    "sagemaker-xgboost",
    "sagemaker-base-python",
    "sagemaker-distribution*",
    "pytorch-training*",
    "tensorflow-training*",
    "mxnet-training*",
    "huggingface-*-training*",
    "autogluon-training*",
)
"""The repositories of the images that run a user's script.

https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html
"""

_SERVING_REPOSITORIES = (
    "sagemaker-scikit-learn",
    "sagemaker-base-python",
    "sagemaker-distribution*",
    "pytorch-inference*",
    "tensorflow-inference*",
    "mxnet-inference*",
    "huggingface-*-inference*",
    "autogluon-inference*",
)
"""The repositories of the images that serve a model by a user's inference.py."""

XGBOOST, _SPARK = "sagemaker-xgboost", "sagemaker-spark-processing"
_ANALYSERS: Mapping[str, Form] = {
    "sagemaker-model-monitor-analyzer": "quality analyser",
    "sagemaker-clarify-processing": "bias analyser",
}
"""AWS's closed analysers, for each of which a program of ours stands.

https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html
"""


class CannotRun(Exception):
    """No form fits the image; the message says why and what to do."""


@dataclass(frozen=True)
class Chosen:
    """How a job runs. `environment` is the Python environment that a rule names, `command` its program."""

    form: Form
    environment: str | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Machine:
    """What this machine has for images: the user's rules, programs by name in the environment of jobs, and
    containers.
    """

    rules: Sequence[ImageRule] = ()
    finds: Callable[[str], bool] = lambda _program: True
    has_containers: Callable[[], bool] = lambda: False


def training(
    specification: Mapping[str, Any], hyperparameters: Mapping[str, Any], machine: Machine
) -> Chosen:
    """The form of a training job, by its AlgorithmSpecification and HyperParameters. Raises CannotRun."""
    image = specification.get("TrainingImage")
    if image is None:
        raise CannotRun("an algorithm by name runs only on AWS: give TrainingImage in place of AlgorithmName")
    ruled = _ruled(image, machine.rules)
    if ruled is not None and ruled.form == "container":
        return ruled
    if entrypoint := specification.get("ContainerEntrypoint"):
        known = _known(entrypoint)
        chosen = ruled or (Chosen("entrypoint") if known else _entrypoint(entrypoint, machine))
        return replace(chosen, form=known) if known and chosen.form == "entrypoint" else chosen
    if "sagemaker_program" in hyperparameters and (ruled or _is(image, *_SCRIPT_REPOSITORIES)):
        return Chosen("script", ruled.environment if ruled else None)
    if ruled is not None and ruled.form == "command":
        return Chosen("command", command=(*ruled.command, "train"))
    if _is(image, XGBOOST):
        return Chosen("xgboost", ruled.environment if ruled else None)
    return _container(image, machine)


def processing(specification: Mapping[str, Any], machine: Machine) -> Chosen:
    """The form of a processing job, by its AppSpecification. Raises CannotRun."""
    image = specification["ImageUri"]
    ruled = _ruled(image, machine.rules)
    analyser = None if specification.get("ContainerEntrypoint") else _ANALYSERS.get(repository(image))
    if analyser and (ruled is None or ruled.form == "entrypoint"):
        return Chosen(analyser, ruled.environment if ruled else None)
    if ruled is not None:
        return ruled
    if _is(image, _SPARK):
        return Chosen("spark")
    if specification.get("ContainerEntrypoint"):
        return _entrypoint(specification["ContainerEntrypoint"], machine)
    return _container(image, machine)


def serving(
    image: str, environment: Mapping[str, str], machine: Machine, *, is_isolated: bool = False
) -> Chosen:
    """The form of a model's container, by its Image and Environment. Raises CannotRun.

    XGBoost's image serves a script where SAGEMAKER_PROGRAM names one; any image does so in an environment
    that a rule names. Our own servers listen on a socket in the file system, and need no network; others
    listen at a port, where nobody reaches one that `is_isolated`.
    """
    chosen = _served(image, environment, machine)
    if is_isolated and chosen.form in ("container", "command"):
        raise CannotRun(
            f"the model has EnableNetworkIsolation, and the image {image} is served at a port, which is not "
            "reached without a network; leave EnableNetworkIsolation out, or serve the model by its "
            f"inference.py: */{repository(image)}:*=python:/path/to/environment in the setting `images`"
        )
    return chosen


def _served(image: str, environment: Mapping[str, str], machine: Machine) -> Chosen:
    ruled = _ruled(image, machine.rules)
    if ruled is not None and ruled.form == "container":
        return ruled
    if ruled is not None and ruled.form == "command":
        return Chosen("command", command=(*ruled.command, "serve"))
    python = ruled.environment if ruled else None
    if _is(image, XGBOOST) and not environment.get("SAGEMAKER_PROGRAM"):
        return Chosen("serving xgboost", python)
    if ruled is not None or _is(image, XGBOOST, *_SERVING_REPOSITORIES):
        return Chosen("serving script", python)
    return _container(image, machine)


def is_analyser(form: Form) -> bool:
    """Whether a program of ours stands for one of AWS's closed analysers."""
    return form in _ANALYSERS.values()


def tells_errors(image: str) -> bool:
    """Whether the image's toolkit writes a script's error into the failure file."""
    return _is(image, "pytorch-*", "tensorflow-*", "huggingface-*")


def _known(entrypoint: Sequence[str]) -> Form | None:
    """The form of a program that the SDK names, whatever the image."""
    if remote_function.is_one(entrypoint):
        return "function"
    return "notebook" if notebook_job.is_one(entrypoint) else None


def _ruled(image: str, rules: Sequence[ImageRule]) -> Chosen | None:
    for rule in rules:
        if fnmatchcase(image, rule.pattern):
            return _RULED[rule.kind](rule.value)
    return None


_RULED: Mapping[str, Callable[[str], Chosen]] = {
    "python": lambda value: Chosen("entrypoint", environment=value),
    "command": lambda value: Chosen("command", command=tuple(shlex.split(value))),
    "container": lambda _value: Chosen("container"),
}


def _entrypoint(entrypoint: Sequence[str], machine: Machine) -> Chosen:
    """A program that this machine has is run here; one that only the image has, in a container."""
    if machine.finds(entrypoint[0]) or not machine.has_containers():
        return Chosen("entrypoint")
    return Chosen("container")


def _container(image: str, machine: Machine) -> Chosen:
    if not machine.has_containers():
        raise CannotRun(_advice(image))
    return Chosen("container")


def _is(image: str, *patterns: str) -> bool:
    return any(fnmatchcase(repository(image), pattern) for pattern in patterns)


def _advice(image: str) -> str:
    return (
        f"the image {image} has a program of its own and cannot be run without a container; "
        f"install docker, podman or finch, or say how to run it in the setting `images`, such as "
        f"*/{repository(image)}:*=python:/path/to/environment"
    )
