"""AddPermission and RemovePermission: statements of the queue's policy, kept in its attribute `Policy`.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import orjson

from passrole import arns
from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.sqs import content, records
from passrole.services.sqs.records import QUEUES, Queue, queue_arn, queue_policy
from passrole.services.sqs.refusals import invalid_value, missing
from passrole.store import Tx

ACTIONS_MAX = 7
GRANTABLE = frozenset(
    {
        "*",
        "ChangeMessageVisibility",
        "DeleteMessage",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListDeadLetterSourceQueues",
        "PurgeQueue",
        "ReceiveMessage",
        "SendMessage",
    }
)
Statement = dict[str, Any]


@operation("sqs:AddPermission", resource=queue_arn, resource_policy=queue_policy)
async def add_permission(
    ctx: Context, *, queue_url: str, label: str, aws_account_ids: Sequence[str], actions: Sequence[str]
) -> dict[str, Any]:
    """One more statement that allows accounts some actions on the queue."""
    content.check_label(label)
    _check(aws_account_ids, actions)
    principals = [f"arn:{arns.PARTITION}:iam::{account}:root" for account in aws_account_ids]

    def add(queue: Queue, present: list[Statement]) -> list[Statement]:
        if any(statement.get("Sid") == label for statement in present):
            raise invalid_value(label, "Label", "Already exists.")
        statement = {
            "Sid": label,
            "Effect": "Allow",
            "Principal": {"AWS": _one_or_all(principals)},
            "Action": _one_or_all([f"SQS:{action}" for action in actions]),
            "Resource": queue.arn,
        }
        return [*present, statement]

    return await _change(ctx, queue_url, add)


@operation("sqs:RemovePermission", resource=queue_arn, resource_policy=queue_policy)
async def remove_permission(ctx: Context, *, queue_url: str, label: str) -> dict[str, Any]:
    """The statement with this label less; a policy without a statement is none."""

    def remove(_queue: Queue, present: list[Statement]) -> list[Statement]:
        kept = [statement for statement in present if statement.get("Sid") != label]
        if len(kept) == len(present):
            raise invalid_value(label, "Label", "can't find label.")
        return kept

    return await _change(ctx, queue_url, remove)


def _check(accounts: Sequence[str], actions: Sequence[str]) -> None:
    if not accounts:
        raise missing("PrincipalId")
    if not actions:
        raise missing("ActionName")
    if len(actions) > ACTIONS_MAX:
        message = f"{len(actions)} Actions were found, maximum allowed is {ACTIONS_MAX}."
        raise Fault("OverLimit", message)
    for action in actions:
        if action not in GRANTABLE:
            reason = "Only the queue owner is allowed to invoke this action."
            raise invalid_value(f"SQS:{action}", "ActionName", reason)
    for account in accounts:
        if not (account.isascii() and account.isdecimal() and len(account) == 12):
            raise invalid_value(f"[{account}]", "PrincipalId", "Unable to verify.")


async def _change(
    ctx: Context, queue_url: str, change: Callable[[Queue, list[Statement]], list[Statement]]
) -> dict[str, Any]:
    key, now = records.key(ctx, queue_url), ctx.clock()

    def write(tx: Tx) -> None:
        queue = records.existing(tx, key)
        document = orjson.loads(queue.attributes.get("Policy") or "{}")
        present = document.get("Statement", [])
        statements = change(queue, present if isinstance(present, list) else [present])
        attributes = {name: value for name, value in queue.attributes.items() if name != "Policy"}
        if statements:
            head = {"Version": "2008-10-17", "Id": f"{queue.arn}/SQSDefaultPolicy"}
            attributes["Policy"] = orjson.dumps({**head, **document, "Statement": statements}).decode()
        QUEUES.put(tx, key, dataclasses.replace(queue, attributes=attributes, modified=now))

    await ctx.store.write(write)
    return {}


def _one_or_all(values: Sequence[str]) -> str | Sequence[str]:
    return values[0] if len(values) == 1 else values
