"""The images of a pipeline's jobs, and how each is run on this machine."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from passrole.config import Config
from passrole.needs import Definition, RawStep
from passrole.needs.document import as_object
from passrole.needs.need import ANY
from passrole.runtimes import containers, frameworks, images, job_machine
from passrole.runtimes.images import CannotRun, Chosen, Machine

_Form = Callable[[Mapping[str, Any], Mapping[str, Any], Machine], Chosen]
_PROCESSING: Final[tuple[str, str, _Form]] = (
    "AppSpecification",
    "ImageUri",
    lambda _request, specification, machine: images.processing(specification, machine),
)
_JOBS: Final[Mapping[str, tuple[str, str, _Form]]] = {
    "Training": (
        "AlgorithmSpecification",
        "TrainingImage",
        lambda request, specification, machine: images.training(
            specification, as_object(request.get("HyperParameters")), machine
        ),
    ),
    "Processing": _PROCESSING,
    "QualityCheck": _PROCESSING,
    "ClarifyCheck": _PROCESSING,
}
"""By the type of a step: where its arguments have the image, and what says how that is run."""

_EMULATION: Final = "passrole's emulation of AWS's closed analyser"
_FORMS: Final = {
    "entrypoint": "its program, in {environment}",
    "script": "script mode, in {environment}",
    "function": "a function of @step, in {environment}",
    "notebook": "papermill, in {environment}",
    "xgboost": "the algorithm on xgboost, in {environment}",
    "spark": "spark-submit, in {environment}",
    "quality analyser": f"{_EMULATION} of quality, in {{environment}}",
    "bias analyser": f"{_EMULATION} of bias, in {{environment}}",
    "command": "{command}",
    "container": "a container of {engine}",
}


@dataclass(frozen=True)
class StepImage:
    """How a job's image is run. `form` is None where it cannot be, or is not known yet. `runs` says it for
    people; `difference` is what the environment has in place of the image's framework.
    """

    step: str
    image: str
    form: str | None
    runs: str
    difference: str | None


def step_images(definition: Definition, config: Config) -> Iterator[StepImage]:
    """The images of the steps that run jobs, in the order of the definition."""
    for step in definition.steps:
        if step.type in _JOBS:
            yield _step_image(step, definition, config)


def _step_image(step: RawStep, definition: Definition, config: Config) -> StepImage:
    member, name, form = _JOBS[step.type]
    request = as_object(definition.values(dict(step.arguments)))
    specification = as_object(request.get(member))
    image = specification.get(name)
    if not isinstance(image, str) or ANY in image:
        return StepImage(step.name, str(image or ANY), None, "known only at run time", None)
    try:
        chosen = form(request, specification, job_machine.machine(config))
    except CannotRun as error:
        return StepImage(step.name, image, None, f"cannot run: {error}", None)
    runs = _FORMS[chosen.form].format(**_details(chosen, config))
    environment = job_machine.python_home(config, chosen.environment)
    return StepImage(step.name, image, chosen.form, runs, _difference(image, chosen.form, environment))


def _difference(image: str, form: str, environment: Path) -> str | None:
    if form in ("command", "container"):
        return None
    if form in frameworks.NEEDED:
        return frameworks.lacking(form, environment)
    return frameworks.difference(image, environment)


def _details(chosen: Chosen, config: Config) -> dict[str, str]:
    try:
        engine = containers.found(config.containers).name if chosen.form == "container" else ""
    except containers.EngineMissing as error:
        engine = f"no engine: {error}"
    return {
        "environment": str(job_machine.python_home(config, chosen.environment)),
        "command": " ".join(chosen.command),
        "engine": engine,
    }
