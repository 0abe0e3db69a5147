"""Creates the first identities of a new store, as onboarding to SageMaker Studio Classic does in an account.

These are an execution role with the managed policy for pipelines (Studio puts the time into its name), an
administrator with an access key, and a basic role for the functions that the command line creates, because
the execution role does not trust Lambda.
https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import orjson

from passrole import ids
from passrole.config import Config
from passrole.identities import records
from passrole.identities.records import AccessKey, Role, User
from passrole.policy import managed
from passrole.store import Collection, Tx

ADMINISTRATOR = "administrator"
LAMBDA_ROLE = "passrole-lambda-basic"
SERVICE_ROLE_PATH = "/service-role/"


@dataclass(frozen=True)
class Onboarded:
    """The created roles, and the administrator's credentials."""

    role_name: str
    role_arn: str
    lambda_role_arn: str
    admin_user: str
    access_key: str
    secret_key: str


@dataclass(frozen=True)
class _Made:
    """The ids of what onboarding created for an account."""

    role_arn: str
    lambda_role_arn: str
    access_key: str


_MADE = Collection("identities-onboarding", _Made)


def onboard(tx: Tx, config: Config, now: float, *, full_access: bool = False) -> Onboarded:
    """Create what is missing; a complete store stays as it is.

    With `full_access` the execution role has AmazonSageMakerFullAccess too, as onboarding gives in practice.
    """
    made = onboarded(tx, config) or _all_made(tx, config, now)
    if full_access:
        _attach(tx, config, made.role_name, managed.SAGEMAKER_FULL_ACCESS)
    return made


def _attach(tx: Tx, config: Config, name: str, policy: str) -> None:
    role = records.find(tx, records.ROLES, config.account, name)
    if role is not None and policy not in role.attached:
        records.put(tx, records.ROLES, replace(role, attached=(*role.attached, policy)))


def _all_made(tx: Tx, config: Config, now: float) -> Onboarded:
    name = _execution_role_name(_MADE.get(tx, config.account), now)
    role = _role(tx, config, name, "sagemaker", managed.PIPELINES_INTEGRATIONS, now)
    lambda_role = _role(tx, config, LAMBDA_ROLE, "lambda", managed.LAMBDA_BASIC_EXECUTION, now)
    user = _administrator(tx, config, now)
    secret = ids.secret_key()
    key = AccessKey(ids.access_key_id(), config.account, user.name, secret, now, user_id=user.id)
    records.put_access_key(tx, key)
    _MADE.put(tx, config.account, _Made(role.arn, lambda_role.arn, key.id))
    return _onboarded(role, lambda_role, key)


def onboarded(tx: Tx, config: Config) -> Onboarded | None:
    """What `onboard` created; None if some of it was deleted or the key is inactive."""
    made = _MADE.get(tx, config.account)
    if made is None:
        return None
    role = records.find_arn(tx, records.ROLES, made.role_arn)
    lambda_role = records.find_arn(tx, records.ROLES, made.lambda_role_arn)
    key = records.ACCESS_KEYS.get(tx, made.access_key)
    if role is None or lambda_role is None or key is None or key.status != records.ACTIVE:
        return None
    return _onboarded(role, lambda_role, key)


def _onboarded(role: Role, lambda_role: Role, key: AccessKey) -> Onboarded:
    return Onboarded(role.name, role.arn, lambda_role.arn, key.user, key.id, key.secret)


def _execution_role_name(made: _Made | None, now: float) -> str:
    if made is not None:
        return made.role_arn.rpartition("/")[2]
    return f"AmazonSageMaker-ExecutionRole-{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%S}"


def _role(tx: Tx, config: Config, name: str, service: str, policy: str, now: float) -> Role:
    role = records.find(tx, records.ROLES, config.account, name)
    if role is None:
        role = Role(
            account=config.account,
            name=name,
            path=SERVICE_ROLE_PATH,
            id=ids.unique_id("AROA"),
            created=now,
            trust=_trusting(f"{service}.amazonaws.com"),
            attached=(policy,),
        )
        records.put(tx, records.ROLES, role)
    return role


def _administrator(tx: Tx, config: Config, now: float) -> User:
    user = records.find(tx, records.USERS, config.account, ADMINISTRATOR)
    if user is None:
        user = User(
            account=config.account,
            name=ADMINISTRATOR,
            path="/",
            id=ids.unique_id("AIDA"),
            created=now,
            attached=(managed.ADMINISTRATOR_ACCESS,),
        )
        records.put(tx, records.USERS, user)
    return user


def _trusting(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return orjson.dumps({"Version": "2012-10-17", "Statement": [statement]}).decode()
