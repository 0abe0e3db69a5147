"""What Search finds, a row for each type: how its records are called, told apart, ordered and read.

Of the other types that AWS searches there is nothing here.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SearchRecord.html
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import Shape

from passrole import arns, history
from passrole.history import executions, projection
from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.sagemaker.hosting.records import ENDPOINTS, Endpoint, Fleet
from passrole.services.sagemaker.jobs.kinds import TRAINING, TUNING, JobKind
from passrole.services.sagemaker.models import MODELS
from passrole.services.sagemaker.pipelines import described
from passrole.services.sagemaker.records import PIPELINES
from passrole.services.sagemaker.registry.records import GROUPS, PACKAGES
from passrole.services.sagemaker.searching.properties import Document, names_below
from passrole.services.sagemaker.tags import wire_tags
from passrole.services.sagemaker.versions import VERSIONS, Version
from passrole.store import Tx
from passrole.wire.descriptions import members, service_model

_ALL = 2**31 - 1

Read = Callable[[Tx, Context], Iterable[Document]]


@dataclass(frozen=True)
class Searched:
    """A type of resources. `member` has it in a SearchRecord, `newest` is the property that results are
    ordered by unless another is asked for, `identity` tells two apart. `below` is the member that has its
    tags and the like, where it is not the record itself.
    """

    member: str
    newest: str
    read: Read
    identity: Callable[[Document], str]
    below: str | None = None

    @property
    def tags(self) -> str:
        """The property that has its tags."""
        return "Tags" if self.below is None else f"{self.below}.Tags"

    def names(self, document: Document) -> set[str]:
        """The names of its tags, metrics and hyperparameters, as properties."""
        if self.below is None:
            return names_below(document)
        return {f"{self.below}.{name}" for name in names_below(document[self.below])}

    @property
    def shape(self) -> Shape:
        """AWS's description of it."""
        return members(service_model("sagemaker").shape_for("SearchRecord"))[self.member]


def results(searched: Searched, found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The records of an answer, with the members that AWS describes."""
    known = members(searched.shape)
    return [
        {searched.member: {name: value for name, value in each.items() if name in known}} for each in found
    ]


def _pipelines(tx: Tx, ctx: Context) -> Iterator[Document]:
    for _, pipeline in PIPELINES.within(tx, *ctx.location):
        yield {**described(tx, pipeline), "Tags": wire_tags(pipeline.tags)}


def _executions(tx: Tx, ctx: Context) -> Iterator[Document]:
    """SageMaker gives executions no tags."""
    for execution in executions.recent(tx, arns.pipeline_prefix(ctx.region, ctx.account), 0.0, _ALL):
        folded = history.outline(tx, execution.arn)
        parameters = projection.parameters(folded.state)
        yield {**projection.describe(execution, folded), "PipelineParameters": parameters}


def _versions(tx: Tx, ctx: Context) -> Iterator[Document]:
    for key, pipeline in PIPELINES.within(tx, *ctx.location):
        for _, version in VERSIONS.children(tx, key):
            yield _version(tx, pipeline.arn, version)


def _version(tx: Tx, pipeline: str, version: Version) -> Document:
    last = None if version.last_execution is None else executions.find(tx, version.last_execution)
    return without_none(
        PipelineArn=pipeline,
        PipelineVersionId=version.number,
        PipelineVersionDisplayName=version.name,
        PipelineVersionDescription=version.note,
        CreationTime=version.created,
        LastModifiedTime=version.created,
        CreatedBy=version.created_by,
        LastModifiedBy=version.created_by,
        LastExecutedPipelineExecutionArn=version.last_execution,
        LastExecutedPipelineExecutionDisplayName=last and last.metadata.display_name,
        LastExecutedPipelineExecutionStatus=last and last.status,
        PipelineVersionAliases=list(version.aliases) or None,
    )


def _jobs(kind: JobKind) -> Read:
    def read(tx: Tx, ctx: Context) -> Iterator[Document]:
        for _, job in kind.collection.within(tx, *ctx.location):
            yield {**kind.description(job), "Tags": wire_tags(job.tags)}

    return read


def _groups(tx: Tx, ctx: Context) -> Iterator[Document]:
    for _, group in GROUPS.within(tx, *ctx.location):
        yield {**group.summary(), "CreatedBy": group.created_by, "Tags": wire_tags(group.tags)}


def _packages(tx: Tx, ctx: Context) -> Iterator[Document]:
    """A version has the tags of its group."""
    tags = {group.name: group.tags for _, group in GROUPS.within(tx, *ctx.location)}
    for _, package in PACKAGES.within(tx, *ctx.location):
        own = package.tags if package.group is None else tags.get(package.group, {})
        yield {**package.description(), "Tags": wire_tags(own)}


def _endpoints(tx: Tx, ctx: Context) -> Iterator[Document]:
    for _, endpoint in ENDPOINTS.within(tx, *ctx.location):
        yield {**endpoint.description(), "Tags": wire_tags(endpoint.tags)}


def _models(tx: Tx, ctx: Context) -> Iterator[Document]:
    """A model, and the endpoints that serve it."""
    endpoints = [endpoint for _, endpoint in ENDPOINTS.within(tx, *ctx.location)]
    for _, model in MODELS.within(tx, *ctx.location):
        serving = [each.summary() for each in endpoints if _serves(each, model.name)]
        own = {**model.description(), "Tags": wire_tags(model.tags)}
        yield {"Model": own, **({"Endpoints": serving} if serving else {})}


def _serves(endpoint: Endpoint, model: str) -> bool:
    fleet: Fleet | None = endpoint.fleet
    return fleet is not None and any(variant["model"] == model for variant in fleet["variants"])


def _has(arn: str) -> Callable[[Document], str]:
    return lambda document: str(document[arn])


def _model_arn(document: Document) -> str:
    return str(document["Model"]["ModelArn"])


def _version_number(document: Document) -> str:
    return f"{document['PipelineArn']}/{document['PipelineVersionId']:019}"


_CREATED, _MODIFIED = "CreationTime", "LastModifiedTime"
_TUNING = "HyperParameterTuningJob"
SEARCHED: Mapping[str, Searched] = {
    "Endpoint": Searched("Endpoint", _MODIFIED, _endpoints, _has("EndpointArn")),
    _TUNING: Searched(_TUNING, _MODIFIED, _jobs(TUNING), _has(f"{_TUNING}Arn")),
    "Model": Searched("Model", "Model.CreationTime", _models, _model_arn, below="Model"),
    "ModelPackage": Searched("ModelPackage", _CREATED, _packages, _has("ModelPackageArn")),
    "ModelPackageGroup": Searched("ModelPackageGroup", _CREATED, _groups, _has("ModelPackageGroupArn")),
    "Pipeline": Searched("Pipeline", _MODIFIED, _pipelines, _has("PipelineArn")),
    "PipelineExecution": Searched("PipelineExecution", _MODIFIED, _executions, _has("PipelineExecutionArn")),
    "PipelineVersion": Searched("PipelineVersion", _MODIFIED, _versions, _version_number),
    "TrainingJob": Searched("TrainingJob", _MODIFIED, _jobs(TRAINING), _has("TrainingJobArn")),
}
