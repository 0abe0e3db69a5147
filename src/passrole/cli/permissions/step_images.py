"""The images of a pipeline's jobs, and how each is run on this machine."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from passrole.config import Config
from passrole.needs import Definition, RawStep
from passrole.needs.document import as_object
from passrole.needs.need import ANY
from passrole.policy.sagemaker_keys import values_at
from passrole.runtimes import containers, frameworks, images, job_machine
from passrole.runtimes.images import CannotRun, Chosen, Machine

_Form = Callable[[Machine], Chosen]
_Found = tuple[Any, _Form]
"""An image, and what says how it is run."""


_EMULATION: Final = "passrole's emulation of AWS's closed analyser"
_FORMS: Final = {
    "entrypoint": "its program, in {environment}",
    "script": "script mode, in {environment}",
    "function": "a function of @step, in {environment}",
    "notebook": "papermill, in {environment}",
    "xgboost": "the algorithm on xgboost, in {environment}",
    "spark": "spark-submit, in {environment}",
    "quality analyser": f"{_EMULATION} of quality, in {{environment}}",
    "bias analyser": f"{_EMULATION} of bias and explanations, in {{environment}}",
    "serving script": "served by its inference.py, in {environment}",
    "serving xgboost": "served by the algorithm on xgboost, in {environment}",
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
    """The images of the steps that run jobs or create models, in the order of the definition. A step may have
    several: of a model's containers, of a tuning job's definitions.
    """
    for step in definition.steps:
        if step.type in _IMAGES:
            found = (_step_image(step, *each, config) for each in _IMAGES[step.type](step, definition))
            yield from dict.fromkeys(found)


def _step_image(step: RawStep, image: Any, form: _Form, config: Config) -> StepImage:
    if not isinstance(image, str) or ANY in image:
        return StepImage(step.name, str(image or ANY), None, "known only at run time", None)
    try:
        chosen = form(_machine(config))
    except CannotRun as error:
        return StepImage(step.name, image, None, f"cannot run: {error}", None)
    runs = _FORMS[chosen.form].format(**_details(chosen, config))
    environment = job_machine.python_home(config, chosen.environment)
    return StepImage(step.name, image, chosen.form, runs, _difference(image, chosen.form, environment))


def _training(step: RawStep, definition: Definition) -> Iterator[_Found]:
    request = _request(step, definition)
    yield _of_training(request, as_object(request.get("HyperParameters")))


def _tuning(step: RawStep, definition: Definition) -> Iterator[_Found]:
    request = _request(step, definition)
    for path in ("TrainingJobDefinition", "TrainingJobDefinitions[]"):
        for each in map(as_object, values_at(request, path)):
            yield _of_training(each, as_object(each.get("StaticHyperParameters")))


def _of_training(request: Mapping[str, Any], hyperparameters: Mapping[str, Any]) -> _Found:
    specification = as_object(request.get("AlgorithmSpecification"))
    image = specification.get("TrainingImage")
    return image, lambda machine: images.training(specification, hyperparameters, machine)


def _processing(step: RawStep, definition: Definition) -> Iterator[_Found]:
    specification = as_object(_request(step, definition).get("AppSpecification"))
    yield specification.get("ImageUri"), lambda machine: images.processing(specification, machine)


def _model(step: RawStep, definition: Definition) -> Iterator[_Found]:
    request = _request(step, definition)
    for path in ("PrimaryContainer", "Containers[]"):
        for each in map(as_object, values_at(request, path)):
            yield _of_container(each, is_isolated=request.get("EnableNetworkIsolation") in (True, "true"))


def _of_container(container: Mapping[str, Any], *, is_isolated: bool) -> _Found:
    image, environment = container.get("Image"), as_object(container.get("Environment"))
    given = {name: str(value) for name, value in environment.items()}
    return image, lambda machine: images.serving(str(image), given, machine, is_isolated=is_isolated)


def _transform(step: RawStep, definition: Definition) -> Iterator[_Found]:
    """Those of the model, if a step of the pipeline creates it."""
    model = definition.creator_of_model(step)
    if model is None:
        yield None, lambda machine: images.serving(ANY, {}, machine)
    else:
        yield from _model(model, definition)


def _request(step: RawStep, definition: Definition) -> Mapping[str, Any]:
    return as_object(definition.values(dict(step.arguments)))


def _difference(image: str, form: str, environment: Path) -> str | None:
    if form in ("command", "container"):
        return None
    if form in frameworks.NEEDED:
        return frameworks.lacking(form, environment)
    return frameworks.difference(image, environment)


def _machine(config: Config) -> Machine:
    """This machine, whose container engine is tried once for all images: that takes a third of a second."""
    return replace(
        job_machine.machine(config), has_containers=lambda: _engine(config.containers, _path())[0] is not None
    )


def _details(chosen: Chosen, config: Config) -> dict[str, str]:
    engine, lacks = _engine(config.containers, _path()) if chosen.form == "container" else ("", "")
    return {
        "environment": str(job_machine.python_home(config, chosen.environment)),
        "command": " ".join(chosen.command),
        "engine": f"no engine: {lacks}" if engine is None else engine,
    }


def _path() -> str:
    return os.environ.get("PATH", "")


@cache
def _engine(setting: str, _path: str) -> tuple[str | None, str]:
    """The name of the engine, or None and why there is none; among the programs of that PATH."""
    try:
        return containers.found(setting).name, ""
    except containers.EngineMissing as error:
        return None, str(error)


_IMAGES: Final[Mapping[str, Callable[[RawStep, Definition], Iterator[_Found]]]] = {
    "Training": _training,
    "Tuning": _tuning,
    "Processing": _processing,
    "QualityCheck": _processing,
    "ClarifyCheck": _processing,
    "Model": _model,
    "Transform": _transform,
}
"""By the type of a step: the images in its arguments."""
