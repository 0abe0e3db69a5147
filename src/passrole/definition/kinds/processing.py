"""Processing steps.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-processing
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from passrole.definition import problems as problem
from passrole.definition.kinds.kind import Kind
from passrole.definition.node import Node
from passrole.definition.properties import NamedList, Properties
from passrole.definition.step_members import read_job
from passrole.definition.steps import JobStep, Step


@dataclass(frozen=True, slots=True)
class PropertyFile:
    """A JSON file that the job writes: `path` is below the output named `output_name`."""

    name: str
    output_name: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingStep(JobStep):
    """Runs a processing job; `arguments` is CreateProcessingJob's request."""

    type_: ClassVar[str] = "Processing"

    property_files: tuple[PropertyFile, ...] = ()


def _read(node: Node) -> Iterator[Step]:
    yield ProcessingStep(**read_job(node), property_files=_property_files(node))


def _property_files(node: Node) -> tuple[PropertyFile, ...]:
    files: dict[str, PropertyFile] = {}
    for each in node.objects("PropertyFiles", required=False):
        name, output, path = (each.text(key) or "" for key in ("PropertyFileName", "OutputName", "FilePath"))
        each.close()
        if name in files:
            node.found.append(problem.duplicate_name(each.where, "PropertyFileName", name))
        files[name] = PropertyFile(name, output, path)
    return tuple(files.values())


PROPERTIES = Properties(
    members=(
        "ProcessingInputs",
        "ProcessingOutputConfig",
        "ProcessingJobName",
        "ProcessingResources",
        "StoppingCondition",
        "AppSpecification",
        "Environment",
        "NetworkConfig",
        "RoleArn",
        "ExperimentConfig",
        "ProcessingJobArn",
        "ProcessingJobStatus",
        "ExitMessage",
        "FailureReason",
        "ProcessingEndTime",
        "ProcessingStartTime",
        "LastModifiedTime",
        "CreationTime",
        "MonitoringScheduleArn",
        "AutoMLJobArn",
        "TrainingJobArn",
    ),
    lists=(
        NamedList(("ProcessingInputs",), "InputName"),
        NamedList(("ProcessingOutputConfig", "Outputs"), "OutputName"),
    ),
)
"""DescribeProcessingJob's answer."""

KIND = Kind(
    step=ProcessingStep,
    read=_read,
    expressions=lambda step: (step.arguments,),
    offers=lambda step, path: PROPERTIES.has(path, step.arguments),
    properties=PROPERTIES,
)
