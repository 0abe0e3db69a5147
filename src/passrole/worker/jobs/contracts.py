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
from passrole.runtimes.images import Chosen, Machine
from passrole.runtimes.ml import environment, folder
from passrole.runtimes.ml.environment import Access
from passrole.runtimes.ml.folder import Folder
from passrole.runtimes.ml.hosts import Hosts
from passrole.services.sagemaker.jobs.kinds import PROCESSING, TRAINING, JobKind
from passrole.services.sagemaker.jobs.metric_definitions import Metric, metrics
from passrole.services.sagemaker.jobs.records import Job
from passrole.worker.jobs import inputs, outputs
from passrole.worker.jobs.inputs import Input
from passrole.worker.jobs.outputs import Output

Request = Mapping[str, Any]


@dataclass(frozen=True)
class Contract:
    """`specification` is the member of the request that has the image, as its `image`, and the program; an
    image's own program is `called_with` these words. `work` is where a program starts here, from /opt/ml. The
    files are those whose text becomes FailureReason and ExitMessage. `late` has the fields of the record of a
    job that was stopped at its time limit.
    """

    specification: str
    image: str
    called_with: tuple[str, ...]
    work: str
    cluster: Callable[[Request], Request]
    is_isolated: Callable[[Request], bool]
    form: Callable[[Request, Machine], Chosen]
    folder: Callable[[Job, Hosts, str], Folder]
    environment: Callable[[Job, str, Access], dict[str, str]]
    inputs: Callable[[Request], Sequence[Input]]
    outputs: Callable[[Job], Sequence[Output]]
    metrics: Callable[[Request], Sequence[Metric]]
    failure_file: str | None
    exit_message_file: str | None
    late: Mapping[str, str]


def contract_of(kind: JobKind) -> Contract:
    """The row of the kind."""
    return CONTRACTS[kind.resource]


_TRAINING = Contract(
    specification="AlgorithmSpecification",
    image="TrainingImage",
    called_with=("train",),
    work="code",
    cluster=lambda request: request.get("ResourceConfig") or {},
    is_isolated=lambda request: bool(request.get("EnableNetworkIsolation")),
    form=lambda request, machine: images.training(
        request.get("AlgorithmSpecification") or {}, request.get("HyperParameters") or {}, machine
    ),
    folder=lambda job, hosts, host: folder.training(job.request, hosts, host),
    environment=lambda job, path, access: environment.training(
        job.name, job.arn, job.request.get("Environment") or {}, path, access
    ),
    inputs=inputs.of_training,
    outputs=outputs.of_training,
    metrics=lambda request: metrics(request.get("AlgorithmSpecification") or {}),
    failure_file=folder.FAILURE,
    exit_message_file=None,
    late={"secondary": "MaxRuntimeExceeded"},
)

_PROCESSING = Contract(
    specification="AppSpecification",
    image="ImageUri",
    called_with=(),
    work="",
    cluster=lambda request: request["ProcessingResources"]["ClusterConfig"],
    is_isolated=lambda request: bool((request.get("NetworkConfig") or {}).get("EnableNetworkIsolation")),
    form=lambda request, machine: images.processing(request["AppSpecification"], machine),
    folder=lambda job, hosts, host: folder.processing(PROCESSING.description(job), hosts, host),
    environment=lambda job, path, access: environment.processing(
        job.request.get("Environment") or {}, path, access
    ),
    inputs=inputs.of_processing,
    outputs=outputs.of_processing,
    metrics=lambda _request: (),
    failure_file=None,
    exit_message_file=folder.EXIT_MESSAGE,
    late={},
)

CONTRACTS: Mapping[str, Contract] = {TRAINING.resource: _TRAINING, PROCESSING.resource: _PROCESSING}
