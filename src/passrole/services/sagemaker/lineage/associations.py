"""What joins entities of lineage: AddAssociation, DeleteAssociation, ListAssociations.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddAssociation.html
"""

from collections.abc import Sequence
from typing import Any

from passrole.faults import Fault
from passrole.members import without_none
from passrole.services.context import Context
from passrole.services.operation import Parameters, Permission, operation
from passrole.services.sagemaker.lineage import records
from passrole.services.sagemaker.lineage.records import ASSOCIATIONS, Association, Entity
from passrole.services.sagemaker.paging import Orders, SortOrder, is_between, sorted_page
from passrole.services.sagemaker.records import user_context
from passrole.store import Tx

PAGE_DEFAULT = 10


def _source(_ctx: Context, parameters: Parameters) -> str:
    return str(parameters["source_arn"])


def _also(action: str, parameters: Parameters) -> Sequence[Permission]:
    """The reference names both ends as resources of the call."""
    return (Permission(action, str(parameters["destination_arn"]), {}),)


@operation(
    "sagemaker:AddAssociation",
    resource=_source,
    also=lambda _, parameters: _also("sagemaker:AddAssociation", parameters),
)
async def add_association(
    ctx: Context, *, source_arn: str, destination_arn: str, association_type: str | None = None
) -> dict[str, Any]:
    """Join two entities. Raises ResourceNotFound, and ValidationException where they are joined."""
    joined = Association(
        source_arn, destination_arn, association_type, ctx.clock(), user_context(ctx.principal)
    )

    def add(tx: Tx) -> dict[str, Any]:
        for arn in (source_arn, destination_arn):
            records.require(tx, ctx, arn)
        key = records.association_key(ctx, source_arn, destination_arn)
        if not ASSOCIATIONS.add(tx, key, joined):
            message = f"An association from {source_arn} to {destination_arn} already exists."
            raise Fault("ValidationException", message)
        return {"SourceArn": source_arn, "DestinationArn": destination_arn}

    return await ctx.store.write(add)


@operation(
    "sagemaker:DeleteAssociation",
    resource=_source,
    also=lambda _, parameters: _also("sagemaker:DeleteAssociation", parameters),
)
async def delete_association(ctx: Context, *, source_arn: str, destination_arn: str) -> dict[str, Any]:
    """Part two entities. Raises ResourceNotFound."""
    unknown = Fault("ResourceNotFound", f"No association leads from {source_arn} to {destination_arn}.")

    def delete(tx: Tx) -> dict[str, Any]:
        key = records.association_key(ctx, source_arn, destination_arn)
        ASSOCIATIONS.require(tx, key, lambda: unknown)
        ASSOCIATIONS.delete(tx, key)
        return {"SourceArn": source_arn, "DestinationArn": destination_arn}

    return await ctx.store.write(delete)


@operation("sagemaker:ListAssociations")
async def list_associations(
    ctx: Context,
    *,
    source_arn: str | None = None,
    destination_arn: str | None = None,
    source_type: str | None = None,
    destination_type: str | None = None,
    association_type: str | None = None,
    created_after: float | None = None,
    created_before: float | None = None,
    sort_by: str = "CreationTime",
    sort_order: SortOrder = "Descending",
    next_token: str | None = None,
    max_results: int = PAGE_DEFAULT,
) -> dict[str, Any]:
    """Associations of the account and region, newest first unless another order is asked for.

    SageMaker itself records nothing here: of trial components, which it would make of jobs, there are none.
    """
    wanted = {
        "SourceArn": source_arn,
        "DestinationArn": destination_arn,
        "SourceType": source_type,
        "DestinationType": destination_type,
        "AssociationType": association_type,
    }

    def found(tx: Tx) -> dict[str, Any]:
        shown = [
            summary
            for _, each in ASSOCIATIONS.within(tx, *ctx.location)
            if is_between(each.created, created_after, created_before)
            and all(
                value in (None, (summary := _summary(tx, ctx, each)).get(name))
                for name, value in wanted.items()
            )
        ]
        page, more = sorted_page(shown, _ORDERS, sort_by, sort_order, next_token, max_results)
        return {"AssociationSummaries": list(page), **more}

    return await ctx.store.read(found)


def _summary(tx: Tx, ctx: Context, joined: Association) -> dict[str, Any]:
    ends = {"Source": joined.source, "Destination": joined.destination}
    entities = {word: records.require(tx, ctx, arn) for word, arn in ends.items()}
    return without_none(
        SourceArn=joined.source,
        DestinationArn=joined.destination,
        SourceType=entities["Source"].type_,
        DestinationType=entities["Destination"].type_,
        SourceName=_name(entities["Source"]),
        DestinationName=_name(entities["Destination"]),
        AssociationType=joined.type_,
        CreationTime=joined.created,
        CreatedBy=joined.created_by,
    )


def _name(entity: Entity) -> str | None:
    return entity.name


def _order(member: str, type_: type) -> tuple[Any, tuple[type, ...]]:
    return lambda each: (each[member], each["SourceArn"], each["DestinationArn"]), (type_, str, str)


_ORDERS: Orders[dict[str, Any]] = {
    "CreationTime": _order("CreationTime", float),
    **{each: _order(each, str) for each in ("SourceArn", "DestinationArn", "SourceType", "DestinationType")},
}
