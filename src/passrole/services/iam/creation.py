"""What CreateUser, CreateRole and CreatePolicy share: tags, a boundary, and the permissions for them."""

from collections.abc import Callable, Mapping

from passrole.identities import managed_document
from passrole.policy.request import Values
from passrole.services import tags
from passrole.services.context import Context
from passrole.services.iam import refusals
from passrole.services.iam.checked_arns import check_policy
from passrole.services.iam.tags import TAGS
from passrole.services.operation import AlsoOf, Parameters
from passrole.store import Tx


def creation_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The condition keys of the call."""
    boundary = parameters.get("permissions_boundary")
    own = {"iam:PermissionsBoundary": str(boundary)} if boundary else {}
    return {**TAGS.request_keys(ctx, parameters), **own}


def tagging(action: str, resource: Callable[[Context, Parameters], str]) -> AlsoOf:
    """The permission to tag, asked for where the new thing is given tags."""
    return tags.tagging(action, resource, TAGS.request_keys)


def require_boundary(tx: Tx, arn: str | None) -> None:
    """Raises NoSuchEntity where the boundary is not a policy."""
    if arn is None:
        return
    check_policy(arn)
    if managed_document(tx, arn) is None:
        raise refusals.no_such(f"Scope ARN: {arn} does not exist or is not attachable.")
