"""GetCallerIdentity and AssumeRole. Sessions have no rows (see identities/sessions.py).

AssumeRole is decided by the door like every call: the caller's policies and the role's trust policy, which
is handed over as the resource's policy.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from passrole import arns
from passrole.faults import AccessDenied, Fault
from passrole.identities import managed_document, records, sessions
from passrole.identities.records import Role
from passrole.identities.sessions import Session
from passrole.policy import MalformedPolicyDocument, parse_document
from passrole.policy.request import Principal, Values
from passrole.policy.trust import assume_keys
from passrole.services.context import Context
from passrole.services.operation import Parameters, Permission, operation
from passrole.services.tags import TagList, TagRules, from_wire

CHAINED_SECONDS_MAX = 3600
POLICY_CHARACTERS_MAX = 2048
POLICY_ARNS_MAX = 10

# Stands for the trust policy of a role that does not exist: it is decided as one that trusts somebody else.
_TRUSTS_NOBODY = (
    '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":{"Service":"nobody.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}}'
)

_REPEATED = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_know
SESSION_TAGS = TagRules(
    reserved=lambda reason: Fault("InvalidParameterValue", reason, status=400),
    repeated=lambda: Fault("InvalidParameterValue", _REPEATED, status=400),
    ignores_case=True,
)

_SOURCE_IDENTITY = "aws:SourceIdentity"

# What a service assumes a role for is a key of all calls with the credentials:
# https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
_SOURCE_KEYS = {"lambda.amazonaws.com": "lambda:SourceFunctionArn"}


@operation(None)
async def get_caller_identity(ctx: Context) -> dict[str, Any]:
    """The caller. AWS asks for no permission, and no Deny counts."""
    caller = ctx.principal
    return {"UserId": caller.id, "Account": caller.account, "Arn": caller.arn}


def _role_arn(_ctx: Context, parameters: Parameters) -> str:
    return str(parameters["role_arn"])


def _keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return assume_keys(
        session_name=str(parameters["role_session_name"]),
        external_id=parameters.get("external_id"),
        source_identity=_source_identity(ctx, parameters),
        tags={**_given(parameters), **_inherited(ctx.principal)},
        transitive_tags=tuple(parameters.get("transitive_tag_keys") or ()),
    )


def _further(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    """What tags and a source identity ask for, those too that a chain of roles hands on.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
    """
    tagged = bool(_given(parameters) or _inherited(ctx.principal))
    actions = [
        *(["sts:TagSession"] if tagged else []),
        *(["sts:SetSourceIdentity"] if _source_identity(ctx, parameters) else []),
    ]
    keys = _keys(ctx, parameters)
    return [Permission(action, str(parameters["role_arn"]), keys) for action in actions]


def _given(parameters: Parameters) -> dict[str, str]:
    return from_wire(parameters.get("tags"))


def _inherited(principal: Principal) -> dict[str, str]:
    tags = principal.tags
    return {key: tags[key] for key in principal.transitive_tags if key in tags}


def _source_identity(ctx: Context, parameters: Parameters) -> str | None:
    return parameters.get("source_identity") or ctx.principal.keys.get(_SOURCE_IDENTITY)


async def _trust(ctx: Context, parameters: Parameters) -> str:
    role = await _role(ctx, str(parameters["role_arn"]))
    return role.trust if role else _TRUSTS_NOBODY


@operation("sts:AssumeRole", resource=_role_arn, keys=_keys, also=_further, resource_policy=_trust)
async def assume_role(
    ctx: Context,
    *,
    role_arn: str,
    role_session_name: str,
    duration_seconds: int = 3600,
    policy: str | None = None,
    policy_arns: Sequence[Mapping[str, str]] = (),
    tags: TagList = (),
    transitive_tag_keys: Sequence[str] = (),
    external_id: str | None = None,  # noqa: ARG001 (the trust policy asks for it, through _keys)
    source_identity: str | None = None,
) -> dict[str, Any]:
    """Temporary credentials of a role, narrowed by the session policies that are given."""
    role = await _role(ctx, role_arn)
    if role is None:  # it was deleted since its trust policy was asked
        message = f"User: {ctx.principal.arn} is not authorized to perform: sts:AssumeRole on resource: "
        raise AccessDenied("AccessDenied", f"{message}{role_arn}", status=403)
    inherited = _inherited(ctx.principal)
    _check_chain(ctx, inherited, tags, transitive_tag_keys, source_identity)
    _check_duration(ctx, role, duration_seconds)
    session_tags = SESSION_TAGS.read(tags)
    narrowing = [one["arn"] for one in policy_arns]
    await _check_policies(ctx, policy, narrowing)
    now = float(int(ctx.clock()))
    session = Session(
        account=role.account,
        role_arn=role.arn,
        role_id=role.id,
        role_name=role.name,
        name=role_session_name,
        issued=now,
        expires=now + duration_seconds,
        policies=[policy] if policy is not None else [],
        policy_arns=narrowing,
        tags={**session_tags, **inherited},
        transitive_tags=[*inherited, *transitive_tag_keys],
        keys=_carried(ctx.principal, source_identity),
    )
    credentials = sessions.issue(await sessions.server_secret(ctx.store), session)
    return _answer(session, credentials)


async def _role(ctx: Context, arn: str) -> Role | None:
    """The role, if there is one. Raises ValidationError for no ARN, AccessDenied for root."""
    if arns.parse(arn) is None:
        raise _invalid(f"{arn} is invalid")
    if ctx.principal.kind == "root":
        raise AccessDenied("AccessDenied", "Roles may not be assumed by root accounts.", status=403)
    return await ctx.store.read(lambda tx: records.find_arn(tx, records.ROLES, arn))


def _check_chain(
    ctx: Context,
    inherited: Mapping[str, str],
    tags: TagList,
    transitive_tag_keys: Sequence[str],
    source_identity: str | None,
) -> None:
    """Transitive tags and the source identity of a chained session cannot change.

    Raises ValidationError, AccessDenied.
    """
    given = [tag["Key"] for tag in tags]
    fixed = {key.lower() for key in inherited}
    again = [key for key in given if key.lower() in fixed]
    if again:
        raise _invalid(f"The tag {again[0]} is transitive in the calling session and cannot be set again.")
    loose = [key for key in transitive_tag_keys if key not in given]
    if loose:
        raise _invalid(f"The transitive tag key {loose[0]} is not among the session tags.")
    kept = ctx.principal.keys.get(_SOURCE_IDENTITY)
    if kept is not None and source_identity not in (None, kept):
        # "After the source identity is set, the value cannot be changed", which "denies" the request.
        message = "The source identity of a session cannot be changed."
        raise AccessDenied("AccessDenied", message, status=403)


def _carried(caller: Principal, source_identity: str | None) -> dict[str, str]:
    """The condition keys that the new session carries into its calls."""
    keys = {}
    identity = source_identity or caller.keys.get(_SOURCE_IDENTITY)
    if identity is not None:
        keys[_SOURCE_IDENTITY] = identity
    key = _SOURCE_KEYS.get(caller.name) if caller.kind == "service" else None
    if key is not None and caller.source is not None:
        keys[key] = caller.source
    return keys


def _check_duration(ctx: Context, role: Role, seconds: int) -> None:
    if ctx.principal.kind == "role" and seconds > CHAINED_SECONDS_MAX:
        raise _invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role"
            " chaining"
        )
    if seconds > role.session_seconds_max:
        raise _invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")


async def _check_policies(ctx: Context, policy: str | None, policy_arns: Sequence[str]) -> None:
    if len(policy or "") > POLICY_CHARACTERS_MAX or len(policy_arns) > POLICY_ARNS_MAX:
        used = max(
            len(policy or "") * 100 // POLICY_CHARACTERS_MAX, len(policy_arns) * 100 // POLICY_ARNS_MAX
        )
        message = f"Packed policy consumes {used}% of allotted space, please use smaller policy."
        raise Fault("PackedPolicyTooLarge", message)
    if policy is not None:
        try:
            parse_document(policy, "session")
        except MalformedPolicyDocument as error:
            raise Fault("MalformedPolicyDocument", error.message) from None
    missing = await ctx.store.read(
        lambda tx: [arn for arn in policy_arns if managed_document(tx, arn) is None]
    )
    if missing:
        raise _invalid(f"Policy {missing[0]} does not exist or is not attachable.")


def _answer(session: Session, credentials: sessions.SessionCredentials) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "Credentials": {
            "AccessKeyId": credentials.access_key,
            "SecretAccessKey": credentials.secret_key,
            "SessionToken": credentials.session_token,
            "Expiration": session.expires,
        },
        "AssumedRoleUser": {"AssumedRoleId": f"{session.role_id}:{session.name}", "Arn": session.arn},
    }
    if _SOURCE_IDENTITY in session.keys:
        answer["SourceIdentity"] = session.keys[_SOURCE_IDENTITY]
    if session.policies:
        answer["PackedPolicySize"] = len(session.policies[0]) * 100 // POLICY_CHARACTERS_MAX
    return answer


def _invalid(message: str) -> Fault:
    return Fault("ValidationError", message, status=400)
