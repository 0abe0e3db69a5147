"""What SageMaker promises the program of each kind of job, a row a kind.

The rows of `services/sagemaker/jobs/kinds.py` say how a kind looks on the wire, these how it is run. A kind
that has a row in both runs.
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html
https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passrole.runtimes import images
from passrole.runtimes.ml import environment, folder
from passrole.runtimes.ml.folder import Folder
from passrole.runtimes.ml.hosts import Hosts
from passrole.services.sagemaker.jobs.kinds import PROCESSING, TRAINING, JobKind
from passrole.services.sagemaker.jobs.metric_definitions import Metric, metrics
from passrole.services.sagemaker.jobs.records import Job
from passrole.worker.jobs import inputs, outputs
from passrole.worker.jobs.inputs import Input
from passrole.worker.jobs.outputs import Output
from passrole.worker.jobs.workload import Workload

Request = Mapping[str, Any]


@dataclass(frozen=True)
class Contract:
    """`workload` is what an instance of the job runs, by the instance's number. The files are those whose
    text becomes FailureReason and ExitMessage. `late` has the fields of the record of a job that was stopped
    at its time limit.
    """

    cluster: Callable[[Request], Request]
    workload: Callable[[Job, int], Workload]
    folder: Callable[[Job, Hosts, str], Folder]
    inputs: Callable[[Request], Sequence[Input]]
    outputs: Callable[[Job], Sequence[Output]]
    metrics: Callable[[Request], Sequence[Metric]]
    failure_file: str | None
    exit_message_file: str | None
    late: Mapping[str, str]


def contract_of(kind: JobKind) -> Contract:
    """The row of the kind."""
    return CONTRACTS[kind.resource]


def _training(job: Job, _number: int) -> Workload:
    request = job.request
    specification: Request = request.get("AlgorithmSpecification") or {}
    given: Mapping[str, str] = request.get("Environment") or {}
    return Workload(
        image=specification.get("TrainingImage"),
        form=lambda machine: images.training(specification, request.get("HyperParameters") or {}, machine),
        environment=lambda path, access: environment.training(job.name, job.arn, given, path, access),
        given=given,
        entrypoint=specification.get("ContainerEntrypoint") or (),
        arguments=specification.get("ContainerArguments") or (),
        called_with=("train",),
        work="code",
        views=_views(inputs.of_training(request)),
        is_isolated=bool(request.get("EnableNetworkIsolation")),
    )


def _processing(job: Job, _number: int) -> Workload:
    request = job.request
    specification: Request = request["AppSpecification"]
    given: Mapping[str, str] = request.get("Environment") or {}
    return Workload(
        image=specification["ImageUri"],
        form=lambda machine: images.processing(specification, machine),
        environment=lambda path, access: environment.processing(given, path, access),
        given=given,
        entrypoint=specification.get("ContainerEntrypoint") or (),
        arguments=specification.get("ContainerArguments") or (),
        views=_views(inputs.of_processing(request)),
        is_isolated=bool((request.get("NetworkConfig") or {}).get("EnableNetworkIsolation")),
    )


def _views(wanted: Sequence[Input]) -> list[str]:
    return [one.path for one in wanted if one.is_read_only]


_TRAINING = Contract(
    cluster=lambda request: request.get("ResourceConfig") or {},
    workload=_training,
    folder=lambda job, hosts, host: folder.training(job.request, hosts, host),
    inputs=inputs.of_training,
    outputs=outputs.of_training,
    metrics=lambda request: metrics(request.get("AlgorithmSpecification") or {}),
    failure_file=folder.FAILURE,
    exit_message_file=None,
    late={"secondary": "MaxRuntimeExceeded"},
)

_PROCESSING = Contract(
    cluster=lambda request: request["ProcessingResources"]["ClusterConfig"],
    workload=_processing,
    folder=lambda job, hosts, host: folder.processing(PROCESSING.description(job), hosts, host),
    inputs=inputs.of_processing,
    outputs=outputs.of_processing,
    metrics=lambda _request: (),
    failure_file=None,
    exit_message_file=folder.EXIT_MESSAGE,
    late={},
)

CONTRACTS: Mapping[str, Contract] = {TRAINING.resource: _TRAINING, PROCESSING.resource: _PROCESSING}
