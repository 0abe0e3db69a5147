"""What creating a user, a role or a policy has alike: tags, a boundary, and the permissions for them."""

from collections.abc import Callable, Mapping, Sequence

from passrole.identities import managed_document
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.iam import refusals
from passrole.services.iam.checked_arns import check_policy
from passrole.services.iam.tags import request_tags
from passrole.services.operation import Parameters, Permission
from passrole.store import Tx


def creation_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The condition keys of the call."""
    boundary = parameters.get("permissions_boundary")
    own = {"iam:PermissionsBoundary": str(boundary)} if boundary else {}
    return {**request_tags(ctx, parameters), **own}


def tagging(
    action: str, resource: Callable[[Context, Parameters], str]
) -> Callable[[Context, Parameters], Sequence[Permission]]:
    """The permission to tag, asked where the new thing is given tags."""

    def also(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
        if not parameters.get("tags"):
            return ()
        return [Permission(action, resource(ctx, parameters), request_tags(ctx, parameters))]

    return also


def require_boundary(tx: Tx, arn: str | None) -> None:
    """Raises Fault where the boundary is not a policy."""
    if arn is None:
        return
    check_policy(arn)
    if managed_document(tx, arn) is None:
        raise refusals.no_such(f"Scope ARN: {arn} does not exist or is not attachable.")
