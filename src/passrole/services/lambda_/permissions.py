"""AddPermission, GetPolicy, RemovePermission: who else may use a function, its resource-based policy.

The policy is kept with its function, and goes with it.
"""

import string
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from passrole import arns, ids
from passrole.policy import MalformedPolicyDocument, parse_document
from passrole.services.context import Context
from passrole.services.lambda_ import names, refusals
from passrole.services.lambda_.names import LATEST
from passrole.services.lambda_.registry import FUNCTIONS, Function, existing, find
from passrole.services.operation import Parameters, operation
from passrole.store import Tx

POLICY_BYTES_MAX = 20_480
_DIGITS = frozenset(string.digits)
_ACCOUNT_LENGTH = 12


async def its_policy(ctx: Context, parameters: Parameters) -> str | None:
    """The policy attached to the function in the call; of another account's functions none is known."""
    named = names.parse(ctx, parameters["function_name"], parameters.get("qualifier"))
    key = f"{named.account}/{named.region}/{named.name}"
    function = await ctx.store.read(lambda tx: FUNCTIONS.get(tx, key))
    return _document(function) if function and function.statements else None


@operation("lambda:AddPermission", resource=names.arn_of)
async def add_permission(
    ctx: Context,
    *,
    function_name: str,
    statement_id: str,
    action: str,
    principal: str,
    source_arn: str | None = None,
    source_account: str | None = None,
    event_source_token: str | None = None,
    principal_org_id: str | None = None,
    qualifier: str | None = None,
    revision_id: str | None = None,
) -> dict[str, Any]:
    """One more statement that allows; the answer is it."""
    _refuse_latest(qualifier)
    function = await find(ctx, function_name)
    statement: dict[str, Any] = {
        "Sid": statement_id,
        "Effect": "Allow",
        "Principal": _principal(principal),
        "Action": action,
        "Resource": function.arn,
    }
    condition = _condition(source_arn, source_account, event_source_token, principal_org_id)
    if condition:
        statement["Condition"] = condition

    def add(present: Function) -> Function:
        if any(each["Sid"] == statement_id for each in present.statements):
            raise refusals.statement_exists(statement_id)
        changed = replace(present, statements=[*present.statements, statement])
        _check(_document(changed))
        return changed

    await _change(ctx, function_name, revision_id, add)
    return {"Statement": orjson.dumps(statement).decode()}


@operation("lambda:GetPolicy", resource=names.arn_of)
async def get_policy(ctx: Context, *, function_name: str, qualifier: str | None = None) -> dict[str, Any]:
    """The document, JSON, and its revision."""
    function = await find(ctx, function_name, qualifier)
    if not function.statements:
        raise refusals.nothing_there()
    return {"Policy": _document(function), "RevisionId": function.policy_revision}


@operation("lambda:RemovePermission", resource=names.arn_of)
async def remove_permission(
    ctx: Context,
    *,
    function_name: str,
    statement_id: str,
    qualifier: str | None = None,
    revision_id: str | None = None,
) -> None:
    """One statement less."""
    _refuse_latest(qualifier)

    def remove(present: Function) -> Function:
        kept = [each for each in present.statements if each["Sid"] != statement_id]
        if len(kept) == len(present.statements):
            raise refusals.no_statement(statement_id)
        return replace(present, statements=kept)

    await _change(ctx, function_name, revision_id, remove)


async def _change(ctx: Context, function_name: str, revision_id: str | None, change: Any) -> None:
    """The function's own revision stays, for nothing that runs is another."""
    named = names.parse(ctx, function_name)
    key = names.here(ctx, named)

    def write(tx: Tx) -> None:
        present = existing(tx, key, named)
        if revision_id is not None and revision_id not in (present.policy_revision, present.revision):
            raise refusals.revision_differs()
        FUNCTIONS.put(tx, key, replace(change(present), policy_revision=ids.request_id()))

    await ctx.store.write(write)


def _refuse_latest(qualifier: str | None) -> None:
    if qualifier == LATEST:
        raise refusals.invalid("We currently do not support adding policies for $LATEST.")


def _principal(text: str) -> str | dict[str, str]:
    """`*`, a service, an account or an ARN, as the document names them."""
    if text == "*":
        return text
    if len(text) == _ACCOUNT_LENGTH and set(text) <= _DIGITS:
        return {"AWS": f"arn:{arns.PARTITION}:iam::{text}:root"}
    if arns.parse(text) is not None:
        return {"AWS": text}
    if "." in text:
        return {"Service": text}
    raise refusals.invalid("The provided principal was invalid. Please check the principal and try again.")


def _condition(
    source_arn: str | None, source_account: str | None, token: str | None, organisation: str | None
) -> Mapping[str, Mapping[str, str]]:
    equal = {
        "AWS:SourceAccount": source_account,
        "lambda:EventSourceToken": token,
        "aws:PrincipalOrgID": organisation,
    }
    given = {key: value for key, value in equal.items() if value is not None}
    like = {"ArnLike": {"AWS:SourceArn": source_arn}} if source_arn is not None else {}
    return ({"StringEquals": given} if given else {}) | like


def _document(function: Function) -> str:
    document = {"Version": "2012-10-17", "Id": "default", "Statement": function.statements}
    return orjson.dumps(document).decode()


def _check(document: str) -> None:
    if len(document.encode()) > POLICY_BYTES_MAX:
        raise refusals.policy_too_long(POLICY_BYTES_MAX)
    try:
        parse_document(document, "resource")
    except MalformedPolicyDocument as error:
        raise refusals.invalid(error.message) from error
