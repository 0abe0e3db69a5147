"""Artifacts: CreateArtifact, DescribeArtifact, UpdateArtifact, ListArtifacts, DeleteArtifact.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateArtifact.html
"""

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Any, Unpack

import orjson

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import Parameters, operation
from passrole.services.sagemaker.lineage import listing, records
from passrole.services.sagemaker.lineage.listing import EntityListing
from passrole.services.sagemaker.tag_rules import TAGS
from passrole.services.tags import TagList, tagging

_KIND = "artifact"
_ID_CHARACTERS = 32


def _resource(ctx: Context, parameters: Parameters) -> str:
    """The authorization reference calls an artifact's id the hash of its source."""
    given = parameters.get("artifact_arn")
    source = parameters.get("source")
    return str(given) if given else records.arn_of(ctx, _KIND, id_of(source) if source else "*")


def id_of(source: Mapping[str, Any]) -> str:
    """The last part of the ARN of the artifact with this source."""
    types = sorted(each.get("Value", "") for each in source.get("SourceTypes", ()))
    return hashlib.sha256(orjson.dumps([source.get("SourceUri"), types])).hexdigest()[:_ID_CHARACTERS]


@operation(
    "sagemaker:CreateArtifact",
    resource=_resource,
    keys=TAGS.request_keys,
    also=tagging("sagemaker:AddTags", _resource, partial(records.tag_keys, "CreateArtifact")),
    keeps=["ArtifactName", "Properties", "MetadataProperties"],
)
async def create_artifact(
    ctx: Context,
    *,
    source: Mapping[str, Any],
    artifact_type: str,
    kept: Mapping[str, Any],
    tags: TagList = (),
) -> dict[str, Any]:
    """Record an artifact; its name is a label. Raises ValidationException for a source that is recorded."""
    named = {"ArtifactType": artifact_type, "Source": source}
    entity = records.new(ctx, _KIND, id_of(source), {**named, **kept}, tags)
    await ctx.store.write(lambda tx: records.add(tx, entity))
    return {"ArtifactArn": entity.arn}


@operation("sagemaker:DescribeArtifact", resource=_resource)
async def describe_artifact(ctx: Context, *, artifact_arn: str) -> dict[str, Any]:
    """Everything about an artifact. Raises ResourceNotFound."""
    return (await ctx.store.read(lambda tx: records.require(tx, ctx, artifact_arn))).description()


@operation(
    "sagemaker:UpdateArtifact",
    resource=_resource,
    keeps=["ArtifactName", "Properties", "PropertiesToRemove"],
)
async def update_artifact(ctx: Context, *, artifact_arn: str, kept: Mapping[str, Any]) -> dict[str, Any]:
    """Change an artifact; Properties take the place of those before. Raises ResourceNotFound."""
    await ctx.store.write(lambda tx: records.update(tx, ctx, artifact_arn, kept))
    return {"ArtifactArn": artifact_arn}


@operation("sagemaker:DeleteArtifact", resource=_resource)
async def delete_artifact(
    ctx: Context, *, artifact_arn: str | None = None, source: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Delete an artifact without associations, by its ARN or source. Raises ResourceNotFound,
    ValidationException.
    """
    if artifact_arn is None and source is None:
        raise Fault("ValidationException", "Either ArtifactArn or Source is needed.")
    arn = _resource(ctx, {"artifact_arn": artifact_arn, "source": source})
    await ctx.store.write(lambda tx: records.delete(tx, ctx, arn))
    return {"ArtifactArn": arn}


@operation("sagemaker:ListArtifacts")
async def list_artifacts(
    ctx: Context, *, artifact_type: str | None = None, **asked: Unpack[EntityListing]
) -> dict[str, Any]:
    """Artifacts of the account and region, newest first unless another order is asked for."""
    return await listing.page(ctx, _KIND, artifact_type, asked)
