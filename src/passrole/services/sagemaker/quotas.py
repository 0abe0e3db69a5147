"""What an account may have at once in a region, where a setting limits it."""

from passrole import arns
from passrole.faults import Fault
from passrole.history import executions
from passrole.services.context import Context
from passrole.store import Tx

EXECUTIONS = "Maximum number of concurrent pipeline executions allowed per account"
"""AWS's name; there it is 20 until somebody asks for more.

https://docs.aws.amazon.com/sagemaker/latest/dg/feature-store-feature-processor-quotas.html
"""


def check_room_for_execution(tx: Tx, ctx: Context) -> None:
    """Refuse one more than `executions_max`. Raises ResourceLimitExceeded.

    A retry is one more, too: the execution was over. It counts in the transaction that starts, so that nodes
    that start at the same time do not exceed it together.
    """
    most = ctx.config.executions_max
    if not most:
        return
    used = executions.running_count(tx, arns.pipeline_prefix(ctx.region, ctx.account))
    if used >= most:
        raise Fault(
            "ResourceLimitExceeded",
            f"The account-level service limit '{EXECUTIONS}' is {most} Executions, with current utilization "
            f"of {used} Executions and a request delta of 1 Executions. It is the setting executions_max.",
        )
