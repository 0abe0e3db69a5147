"""AddPermission, GetPolicy, RemovePermission: the resource-based policy of a function.

Versions and aliases have policies of their own: that of the function is asked where the call has no
qualifier. They go with what they are attached to.
"""

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from passrole import arns, ids
from passrole.arns import Account
from passrole.identities import principals
from passrole.members import without_none
from passrole.policy import MalformedPolicyDocument, parse_document
from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.lambda_ import names, refusals
from passrole.services.lambda_.names import LATEST
from passrole.services.lambda_.qualifiers import ALIASES, VERSIONS, version, version_key
from passrole.services.lambda_.records import FUNCTIONS, existing, with_new_revision
from passrole.services.operation import Parameters, operation
from passrole.store import Collection, Tx

POLICY_BYTES_MAX = 20_480
_PRINCIPAL = "lambda:Principal"
_DIGITS = frozenset(string.digits)
_ACCOUNT_LENGTH = 12


@dataclass(frozen=True)
class ResourcePolicy:
    """The statements, oldest first; `revision` changes with each change of them."""

    statements: list[dict[str, Any]]
    revision: str


POLICIES = Collection("function-policy", ResourcePolicy, separator=":")
"""Under the key of the function, or the place of the version or alias."""


async def its_policy(ctx: Context, parameters: Parameters) -> str | None:
    """The policy attached to what the call addresses; of another account's functions none is known."""
    policy = await _policy_of(ctx, parameters)
    return document_of(policy) if policy else None


def _given_principal(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {_PRINCIPAL: _principal_text(str(parameters["principal"]))}


async def _held_principal(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """The principal of the statement that will be removed."""
    policy = await _policy_of(ctx, parameters)
    if policy is None:
        return {}
    document = document_of(policy)
    shown = orjson.loads(await ctx.store.read(lambda tx: principals.WithArns(tx, ctx.account)(document)))
    wanted = parameters["statement_id"]
    found = [each["Principal"] for each in shown["Statement"] if each["Sid"] == wanted]
    return {_PRINCIPAL: _principal_text(found[0])} if found else {}


@operation("lambda:AddPermission", resource=names.arn_of, keys=_given_principal)
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
    """Add a statement to the policy; the response is the statement."""
    named = _addressed(ctx, function_name, qualifier)
    statement: dict[str, Any] = {
        "Sid": statement_id,
        "Effect": "Allow",
        "Principal": named_principal(principal),
        "Action": action,
        "Resource": named.arn,
    }
    condition = _condition(source_arn, source_account, event_source_token, principal_org_id)
    if condition:
        statement["Condition"] = condition

    def add(tx: Tx, present: ResourcePolicy) -> ResourcePolicy:
        if any(each["Sid"] == statement_id for each in present.statements):
            raise refusals.statement_exists(statement_id)
        kept = {**statement, "Principal": pinned(tx, ctx.account, statement["Principal"])}
        changed = replace(present, statements=[*present.statements, kept])
        checked(document_of(changed))
        return changed

    await _change(ctx, named, revision_id, add)
    return {"Statement": orjson.dumps(statement).decode()}


@operation("lambda:GetPolicy", resource=names.arn_of)
async def get_policy(ctx: Context, *, function_name: str, qualifier: str | None = None) -> dict[str, Any]:
    """The policy document (JSON) and its revision."""
    named = names.parse(ctx, function_name, qualifier)
    key = names.key(ctx, named)
    attached = _attached(key, named.qualifier)

    def read(tx: Tx) -> dict[str, Any]:
        existing(tx, key, named)
        policy = POLICIES.require(tx, attached, refusals.nothing_there)
        shown = principals.WithArns(tx, ctx.account)(document_of(policy))
        return {"Policy": shown, "RevisionId": policy.revision}

    return await ctx.store.read(read)


@operation("lambda:RemovePermission", resource=names.arn_of, keys=_held_principal)
async def remove_permission(
    ctx: Context,
    *,
    function_name: str,
    statement_id: str,
    qualifier: str | None = None,
    revision_id: str | None = None,
) -> None:
    """Remove a statement from the policy."""
    named = _addressed(ctx, function_name, qualifier)

    def remove(_tx: Tx, present: ResourcePolicy) -> ResourcePolicy:
        kept = [each for each in present.statements if each["Sid"] != statement_id]
        if len(kept) == len(present.statements):
            raise refusals.no_statement(statement_id)
        return replace(present, statements=kept)

    await _change(ctx, named, revision_id, remove)


async def _policy_of(ctx: Context, parameters: Parameters) -> ResourcePolicy | None:
    named = names.parse(ctx, parameters["function_name"], parameters.get("qualifier"))
    if (named.account, named.region) != ctx.location:
        return None
    attached = _attached(ctx.key(named.name), named.qualifier)
    return await ctx.store.read(lambda tx: POLICIES.get(tx, attached))


async def _change(
    ctx: Context,
    named: names.Named,
    revision_id: str | None,
    change: Callable[[Tx, ResourcePolicy], ResourcePolicy],
) -> None:
    """What the policy is attached to has a new revision, and it is the policy's own, as AWS recorded it."""
    key = names.key(ctx, named)
    attached = _attached(key, named.qualifier)

    def write(tx: Tx) -> None:
        revision = _revision(tx, key, named)
        present = POLICIES.get(tx, attached) or ResourcePolicy([], revision)
        if revision_id is not None and revision_id not in (present.revision, revision):
            raise refusals.revision_differs()
        changed = change(tx, present)
        revision = _new_revision(tx, key, named)
        if changed.statements:
            POLICIES.put(tx, attached, replace(changed, revision=revision))
        else:
            POLICIES.delete(tx, attached)

    await ctx.store.write(write)


def _addressed(ctx: Context, function_name: str, qualifier: str | None) -> names.Named:
    named = names.parse(ctx, function_name, qualifier)
    if named.qualifier == LATEST:
        raise refusals.invalid("We currently do not support adding policies for $LATEST.")
    return named


def _attached(key: str, qualifier: str | None) -> str:
    return key if qualifier in (None, LATEST) else version_key(key, qualifier)


def _revision(tx: Tx, key: str, named: names.Named) -> str:
    """The revision of what a policy is attached to. Raises ResourceNotFoundException."""
    revision = existing(tx, key, named).revision
    if named.qualifier is None:
        return revision
    if names.is_version(named.qualifier):
        published = version(tx, key, named.qualifier)
        if published is None:
            raise refusals.not_found(named.arn)
        return published.revision
    alias = ALIASES.require(tx, version_key(key, named.qualifier), lambda: refusals.no_alias(named.arn))
    return alias.revision


def _new_revision(tx: Tx, key: str, named: names.Named) -> str:
    """Give what a policy is attached to another revision, and nothing that runs another process."""
    if named.qualifier is None:
        function = with_new_revision(existing(tx, key, named))
        FUNCTIONS.put(tx, key, function)
        return function.revision
    attached = version_key(key, named.qualifier)
    published = VERSIONS.get(tx, attached)
    if published is not None:
        VERSIONS.put(tx, attached, with_new_revision(published))
    alias = ALIASES.get(tx, attached)
    if alias is not None:
        ALIASES.put(tx, attached, replace(alias, revision=ids.request_id()))
    return _revision(tx, key, named)


def named_principal(text: str) -> str | dict[str, str]:
    """`*`, a service, an account or an ARN, as the document names them."""
    if text == "*":
        return text
    if len(text) == _ACCOUNT_LENGTH and set(text) <= _DIGITS:
        return {"AWS": f"arn:{arns.PARTITION}:iam::{text}:root"}
    if arns.parse(text) is not None:
        return {"AWS": text}
    if "." in text:
        return {"Service": text}
    raise refusals.bad_principal()


def pinned(tx: Tx, account: Account, principal: str | dict[str, str]) -> str | dict[str, str]:
    """The principal as it is stored: a user or role by id. Raises InvalidParameterValueException."""
    if isinstance(principal, str) or "AWS" not in principal:
        return principal
    try:
        return {"AWS": principals.unique_id_of(tx, account, principal["AWS"])}
    except principals.UnknownPrincipal:
        raise refusals.bad_principal() from None


def _principal_text(named: str | Mapping[str, str]) -> str:
    """A service, an ARN, or an account by its number."""
    text = named if isinstance(named, str) else next(iter(named.values()))
    arn = arns.parse(text)
    return arn.account if arn and arn.resource == "root" else text


def _condition(
    source_arn: str | None, source_account: str | None, token: str | None, organisation: str | None
) -> Mapping[str, Mapping[str, str]]:
    equal = {
        "AWS:SourceAccount": source_account,
        "lambda:EventSourceToken": token,
        "aws:PrincipalOrgID": organisation,
    }
    given = without_none(**equal)
    like = {"ArnLike": {"AWS:SourceArn": source_arn}} if source_arn is not None else {}
    return ({"StringEquals": given} if given else {}) | like


def document_of(policy: ResourcePolicy) -> str:
    """The policy (JSON) as it is stored."""
    document = {"Version": "2012-10-17", "Id": "default", "Statement": policy.statements}
    return orjson.dumps(document).decode()


def checked(document: str) -> None:
    """Raises PolicyLengthExceededException, InvalidParameterValueException."""
    if len(document.encode()) > POLICY_BYTES_MAX:
        raise refusals.policy_too_long(POLICY_BYTES_MAX)
    try:
        parse_document(document, "resource")
    except MalformedPolicyDocument as error:
        raise refusals.invalid(error.message) from error
