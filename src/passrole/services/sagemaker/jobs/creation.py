"""What every Create…Job does: its permissions, the checks, and the new job's rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from passrole.faults import Fault
from passrole.policy.request import Principal, Values
from passrole.policy.sagemaker_keys import sagemaker_keys
from passrole.services.context import Context
from passrole.services.operation import KEPT, Parameters
from passrole.services.sagemaker import kms_keys
from passrole.services.sagemaker.jobs import refusals, states
from passrole.services.sagemaker.jobs.kinds import JobKind
from passrole.services.sagemaker.jobs.records import Job
from passrole.services.sagemaker.roles import check_role
from passrole.services.sagemaker.tag_rules import TAGS
from passrole.services.tags import TagList, tagging

_VALIDATION = "sagemaker-job-validation"


class Declared:
    """The callbacks that declare the operations of a kind of job."""

    def __init__(self, kind: JobKind) -> None:
        self._kind = kind
        self._operation = f"Create{kind.member}"
        self.also = tagging("sagemaker:AddTags", self.resource, self._tag_keys)

    def resource(self, ctx: Context, parameters: Parameters) -> str:
        """The ARN of the job that the call names."""
        return self._kind.arn(ctx.region, ctx.account, parameters[self._kind.name_parameter])

    def keys(self, ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
        """SageMaker's own condition keys, and those of the request's tags."""
        own = sagemaker_keys(f"sagemaker:{self._operation}", parameters[KEPT])
        return {**own, **TAGS.request_keys(ctx, parameters)}

    def _tag_keys(self, ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
        return {**TAGS.request_keys(ctx, parameters), "sagemaker:TaggingAction": self._operation}


async def create(
    ctx: Context,
    kind: JobKind,
    name: str,
    role_arn: str,
    request: Mapping[str, Any],
    tags: TagList,
    sources: Sequence[str] = (),
    served: Sequence[Mapping[str, Any]] = (),
    *,
    is_isolated: bool = False,
) -> dict[str, Any]:
    """Store the job for the worker. The response has its ARN.

    Raises ValidationException where SageMaker cannot assume the role, AccessDeniedException where its volumes
    have a key that may not be used, ResourceInUse for a name that was used.
    """
    now, arn = ctx.clock(), kind.arn(ctx.region, ctx.account, name)
    job = Job(
        name=name,
        account=ctx.account,
        region=ctx.region,
        arn=arn,
        role_arn=role_arn,
        request=request,
        created=now,
        modified=now,
        tags=TAGS.read(tags),
        served=served,
        is_isolated=is_isolated,
    )
    await check_access(ctx, role_arn, arn, request, sources)
    return await store(ctx, kind, job)


async def check_access(
    ctx: Context, role_arn: str, source: str, request: Mapping[str, Any], uris: Sequence[str] = ()
) -> None:
    """Refuse a role that SageMaker cannot assume for `source`, or that finds nothing at one of the `uris`;
    and a volume's key that may not be used.
    """
    session = await check_role(ctx, role_arn, _VALIDATION, source)
    await kms_keys.check_volumes(ctx, request, session.principal)
    for uri in uris:
        await _check_source(ctx, uri, role_arn, session.principal)


async def store(ctx: Context, kind: JobKind, job: Job) -> dict[str, Any]:
    """Store a new job for the worker; the response has its ARN. Raises ResourceInUse."""
    if not await ctx.store.write(lambda tx: states.created(tx, kind, job)):
        raise refusals.name_taken(kind, job)
    return {f"{kind.member}Arn": job.arn}


async def _check_source(ctx: Context, uri: str, role_arn: str, principal: Principal) -> None:
    """Refuse an address under which the job's role finds nothing, for want of objects or of permission."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    parameters = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": 1}
    try:
        found = await ctx.call("s3", "ListObjectsV2", parameters, principal)
    except Fault as fault:
        if not fault.sender:  # our own failure says nothing about the data
            raise
        found = {}
    if not found.get("Contents"):
        raise refusals.no_objects(uri, ctx.region, role_arn, bucket)
