"""Models: CreateModel, DescribeModel, ListModels, DeleteModel.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Unpack

from passrole import arns
from passrole.arns import Account, Location, Region
from passrole.faults import Fault
from passrole.members import without_none
from passrole.policy.request import Principal, Values
from passrole.policy.sagemaker_keys import sagemaker_keys
from passrole.services.context import Context
from passrole.services.operation import KEPT, Parameters, PassRole, operation
from passrole.services.sagemaker import artefacts, state_events
from passrole.services.sagemaker.listing import Listing, listed
from passrole.services.sagemaker.paging import Orders
from passrole.services.sagemaker.registry import packages
from passrole.services.sagemaker.roles import SERVICE, check_role
from passrole.services.sagemaker.tag_rules import TAGS
from passrole.services.tags import TagList, tagging
from passrole.store import Collection, Tx

EVENT = "SageMaker Model State Change"
_VALIDATION = "sagemaker-model-validation"


@dataclass(frozen=True)
class Model:
    """A document of the store. `request` is CreateModel's in AWS's spelling, without name, role and tags."""

    name: str
    account: Account
    region: Region
    arn: str
    role_arn: str | None
    request: Mapping[str, Any]
    created: float
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The model's key in MODELS."""
        return Location(self.account, self.region).key(self.name)

    @property
    def containers(self) -> Sequence[Mapping[str, Any]]:
        """The container, or those that work one after the other."""
        return self.request.get("Containers") or [self.request["PrimaryContainer"]]

    def description(self) -> dict[str, Any]:
        """DescribeModel's answer."""
        return {
            "ModelName": self.name,
            "ModelArn": self.arn,
            **without_none(ExecutionRoleArn=self.role_arn),
            **self.request,
            "EnableNetworkIsolation": self.request.get("EnableNetworkIsolation", False),
            "CreationTime": self.created,
        }


MODELS = Collection("model", Model)


def _resource(ctx: Context, parameters: Parameters) -> str:
    return arns.model(ctx.region, ctx.account, parameters["model_name"])


def _keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    own = sagemaker_keys("sagemaker:CreateModel", parameters[KEPT])
    return {**own, **TAGS.request_keys(ctx, parameters)}


def _tag_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**TAGS.request_keys(ctx, parameters), "sagemaker:TaggingAction": "CreateModel"}


@operation(
    "sagemaker:CreateModel",
    resource=_resource,
    passes=[PassRole("execution_role_arn", SERVICE)],
    keys=_keys,
    also=tagging("sagemaker:AddTags", _resource, _tag_keys),
    keeps=[
        *("PrimaryContainer", "Containers", "InferenceExecutionConfig"),
        *("VpcConfig", "EnableNetworkIsolation"),
    ],
)
async def create_model(
    ctx: Context,
    *,
    model_name: str,
    kept: Mapping[str, Any],
    execution_role_arn: str | None = None,
    tags: TagList = (),
) -> dict[str, Any]:
    """Create a model of one container, or of several in a row; its artefacts are looked at as its role.

    Raises ValidationException, also for a name that is taken.
    """
    arn = arns.model(ctx.region, ctx.account, model_name)
    model = Model(
        name=model_name,
        account=ctx.account,
        region=ctx.region,
        arn=arn,
        role_arn=execution_role_arn,
        request=kept,
        created=ctx.clock(),
        tags=TAGS.read(tags),
    )
    containers = _containers(kept)
    principal = ctx.principal
    if execution_role_arn is not None:
        principal = (await check_role(ctx, execution_role_arn, _VALIDATION, arn)).principal
    for each in containers:
        await _check_artefacts(ctx, each, principal, execution_role_arn)

    def create(tx: Tx) -> None:
        for each in containers:
            if each.get("ModelPackageName"):
                packages.require_deployable(tx, ctx, each["ModelPackageName"])
        if not MODELS.add(tx, model.key, model):
            raise Fault("ValidationException", f'Cannot create already existing model "{arn}".')
        detail = {**model.description(), "Tags": model.tags}
        state_events.emit(tx, ctx.location, model.created, EVENT, arn, detail)

    await ctx.store.write(create)
    return {"ModelArn": arn}


@operation("sagemaker:DescribeModel", resource=_resource)
async def describe_model(ctx: Context, *, model_name: str) -> dict[str, Any]:
    """Everything about a model. Raises ValidationException for an unknown name."""
    model = await ctx.store.read(lambda tx: require_model(tx, ctx, model_name))
    return model.description()


@operation("sagemaker:DeleteModel", resource=_resource)
async def delete_model(ctx: Context, *, model_name: str) -> None:
    """Delete a model; its artefacts stay. Raises ValidationException for an unknown name."""

    def delete(tx: Tx) -> None:
        MODELS.delete(tx, require_model(tx, ctx, model_name).key)

    await ctx.store.write(delete)


@operation("sagemaker:ListModels")
async def list_models(ctx: Context, **asked: Unpack[Listing]) -> dict[str, Any]:
    """Models of the account and region, newest first unless another order is asked for."""

    def found(tx: Tx) -> dict[str, Any]:
        models = (each for _, each in MODELS.within(tx, *ctx.location))
        shown, more = listed(models, _ORDERS, asked, "Descending")
        return {"Models": [_summary(each) for each in shown], **more}

    return await ctx.store.read(found)


def require_model(tx: Tx, ctx: Context, name: str) -> Model:
    """The model of that name. Raises ValidationException."""
    arn = arns.model(ctx.region, ctx.account, name)
    unknown = Fault("ValidationException", f'Could not find model "{arn}".')
    return MODELS.require(tx, ctx.key(name), lambda: unknown)


def served_containers(tx: Tx, ctx: Context, model: Model) -> list[Mapping[str, Any]]:
    """The model's containers, each with its image; those of a package stand for it, with what the model adds.

    Raises ValidationException for a package that is gone, or no longer Approved.
    """
    found: list[Mapping[str, Any]] = []
    for each in _containers(model.request):
        if not each.get("ModelPackageName"):
            found.append(each)
            continue
        package = packages.require_deployable(tx, ctx, each["ModelPackageName"])
        own = (package.request.get("InferenceSpecification") or {}).get("Containers") or ()
        added = each.get("Environment") or {}
        found += [{**one, "Environment": {**(one.get("Environment") or {}), **added}} for one in own]
    return found


def _summary(model: Model) -> dict[str, Any]:
    return {"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created}


def _containers(request: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Raises ValidationException unless the request has one of both members, and each container its image."""
    primary, several = request.get("PrimaryContainer"), request.get("Containers")
    if (primary is None) == (not several):
        message = "A model has either PrimaryContainer or Containers."
        raise Fault("ValidationException", message)
    containers = several or [primary]
    for each in containers:
        if not each.get("Image") and not each.get("ModelPackageName"):
            raise Fault("ValidationException", "A container needs an Image or a ModelPackageName.")
    return containers


async def _check_artefacts(
    ctx: Context, container: Mapping[str, Any], principal: Principal, role_arn: str | None
) -> None:
    """Raises ValidationException in AWS's words; without a role, what the caller may not see is not checked.

    https://github.com/aws/sagemaker-python-sdk/issues/3755
    """
    try:
        await artefacts.check(ctx, container, principal)
    except artefacts.Unreadable as unreadable:
        if role_arn is None:
            return
        message = (
            f"Could not access model data at {unreadable.uri}. Please ensure that the role "
            f'"{role_arn}" exists and that its trust relationship policy allows the action "sts:AssumeRole" '
            f'for the service principal "{SERVICE}". Also ensure that the role has "s3:GetObject" '
            f"permissions and that the object is located in {ctx.region}."
        )
        raise Fault("ValidationException", message) from unreadable
    except artefacts.Missing as missing:
        raise Fault("ValidationException", f"Could not find model data at {missing.uri}.") from missing


_ORDERS: Orders[Model] = {
    "CreationTime": (lambda model: (model.created, model.name), (float, str)),
    "Name": (lambda model: (model.name,), (str,)),
}
