"""What RunJobFlow asks of its caller beside itself: the roles that it hands over, and the tags.

Names and ARNs are taken for the roles, as EMR does. JobFlowRole names an instance profile, and what is
passed is the role inside it:
https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-iam-role-for-ec2.html
"""

from collections.abc import Sequence
from typing import Any

from passrole import arns
from passrole.identities import records
from passrole.services.context import Context
from passrole.services.emr.records import TAGS
from passrole.services.operation import Parameters, Permission, passing
from passrole.store import Tx

EMR, EC2, AUTO_SCALING = (
    "elasticmapreduce.amazonaws.com",
    "ec2.amazonaws.com",
    "application-autoscaling.amazonaws.com",
)


def every_cluster(ctx: Context, _parameters: Parameters) -> str:
    """What RunJobFlow is authorised on, as real denials show: no cluster has an id yet."""
    return arns.cluster(ctx.region, ctx.account, "*")


async def passed(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    """PassRole for each role with the service that it is passed to, and AddTags where tags are given."""

    def find(tx: Tx) -> list[tuple[str, str]]:
        given = (
            (role_arn(tx, ctx, parameters.get("service_role")), EMR),
            (profile_role(tx, ctx, parameters.get("job_flow_role")), EC2),
            (role_arn(tx, ctx, parameters.get("auto_scaling_role")), AUTO_SCALING),
        )
        return [(arn, service) for arn, service in given if arn is not None]

    # No cluster has an id yet, so that none is associated with the role.
    handed = [passing(arn, service) for arn, service in await ctx.store.read(find)]
    tags = TAGS.checked_request_keys(ctx, parameters)
    if tags:
        handed.append(Permission("elasticmapreduce:AddTags", every_cluster(ctx, parameters), tags))
    return handed


def role_arn(tx: Tx, ctx: Context, named: Any) -> str | None:
    """The ARN of a role by its name or ARN, whether it exists or not."""
    if not named or str(named).startswith("arn:"):
        return named or None
    role = records.find(tx, records.ROLES, ctx.account, str(named))
    return role.arn if role else arns.iam(ctx.account, "role", "/", str(named))


def profile_role(tx: Tx, ctx: Context, named: Any) -> str | None:
    """The ARN of the role inside an instance profile; of one that is not there, its name as a role's."""
    if not named:
        return None
    role = role_in_profile(tx, ctx, str(named))
    return role or arns.iam(ctx.account, "role", "/", str(named).rpartition("/")[2])


def role_in_profile(tx: Tx, ctx: Context, named: str) -> str | None:
    """The ARN of the role inside an instance profile by the profile's name or ARN, if there is one."""
    kind = records.INSTANCE_PROFILES
    profile = (
        records.find_arn(tx, kind, named)
        if named.startswith("arn:")
        else records.find(tx, kind, ctx.account, named)
    )
    if profile is None or profile.role is None:
        return None
    role = records.find(tx, records.ROLES, profile.account, profile.role)
    return role.arn if role else None
