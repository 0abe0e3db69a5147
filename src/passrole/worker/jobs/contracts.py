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
from passrole.services.sagemaker.jobs.kinds import PROCESSING, TRAINING, TRANSFORM, JobKind
from passrole.services.sagemaker.jobs.metric_definitions import Metric, metrics
from passrole.services.sagemaker.jobs.records import Job
from passrole.worker.jobs import inputs, outputs, serving
from passrole.worker.jobs.inputs import Input
from passrole.worker.jobs.outputs import Output
from passrole.worker.jobs.workload import Workload

Request = Mapping[str, Any]


@dataclass(frozen=True)
class Contract:
    """`workload` is what an instance of the job runs, by the instance's number. The files are those whose
    text becomes FailureReason and ExitMessage. `late` has the fields of the record of a job that was stopped
    at its time limit, which it has unless it `serves`.
    """

    hosts: Callable[[Job], Hosts]
    workload: Callable[[Job, int], Workload]
    folder: Callable[[Job, Hosts, str], Folder]
    inputs: Callable[[Request], Sequence[Input]]
    outputs: Callable[[Job], Sequence[Output]]
    metrics: Callable[[Request], Sequence[Metric]]
    failure_file: str | None
    exit_message_file: str | None
    late: Mapping[str, str]
    serves: bool = False


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


def _cluster(resources: Request) -> Hosts:
    return Hosts(resources.get("InstanceCount") or 1, resources.get("InstanceType") or "")


def _transform(job: Job, number: int) -> Workload:
    """A container of the model, with what a batch adds to its environment.

    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html
    """
    request = job.request
    strategy = {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}
    told = {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": request.get("MaxPayloadInMB"),
        "SAGEMAKER_BATCH_STRATEGY": strategy.get(request.get("BatchStrategy") or ""),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": request.get("MaxConcurrentTransforms"),
    }
    of_platform = {name: str(value) for name, value in told.items() if value is not None}
    added: Mapping[str, str] = request.get("Environment") or {}
    return serving.workload(
        job.served[number], is_isolated=job.is_isolated, of_platform={**added, **of_platform}
    )


def _views(wanted: Sequence[Input]) -> list[str]:
    return [one.path for one in wanted if one.is_read_only]


_TRAINING = Contract(
    hosts=lambda job: _cluster(job.request.get("ResourceConfig") or {}),
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
    hosts=lambda job: _cluster(job.request["ProcessingResources"]["ClusterConfig"]),
    workload=_processing,
    folder=lambda job, hosts, host: folder.processing(PROCESSING.description(job), hosts, host),
    inputs=inputs.of_processing,
    outputs=outputs.of_processing,
    metrics=lambda _request: (),
    failure_file=None,
    exit_message_file=folder.EXIT_MESSAGE,
    late={},
)

_TRANSFORM = Contract(
    hosts=lambda job: Hosts(len(job.served), job.request["TransformResources"]["InstanceType"]),
    workload=_transform,
    folder=lambda _job, _hosts, _host: folder.serving(),
    inputs=lambda _request: (),
    outputs=lambda _job: (),
    metrics=lambda _request: (),
    failure_file=None,
    exit_message_file=None,
    late={},
    serves=True,
)

CONTRACTS: Mapping[str, Contract] = {
    TRAINING.resource: _TRAINING,
    PROCESSING.resource: _PROCESSING,
    TRANSFORM.resource: _TRANSFORM,
}
