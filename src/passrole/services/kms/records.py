"""Keys, aliases and grants as they are stored, and the key that a call means.

A key's material is in the store, which only its owner may read, and leaves this room in no answer.
"""

import base64
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import orjson

from passrole import arns
from passrole.arns import Account, InvalidPart, Region, resource_key
from passrole.services.context import Context
from passrole.services.kms import refusals
from passrole.store import Collection, Tx

ENABLED, DISABLED, PENDING_DELETION = "Enabled", "Disabled", "PendingDeletion"
MATERIAL_BYTES = 32
MANAGED: Mapping[str, str] = {"alias/aws/s3": "s3", "alias/aws/sqs": "sqs"}
"""Keys that AWS makes where a service needs one: each by its alias, with the service that may use it."""

_ALIAS = "alias/"
_KEY = "key/"
_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Key:
    """A symmetric key. `created` and `deleted`, the time of its deletion, are epoch seconds.

    `policy` is a document (JSON) with users and roles by their unique ids.
    """

    account: Account
    region: Region
    id: str
    created: float
    policy: str
    description: str = ""
    state: str = ENABLED
    deleted: float | None = None
    manager: str = "CUSTOMER"
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its key in the store."""
        return resource_key(self.account, self.region, self.id)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return arns.kms_key(self.region, self.account, self.id)


@dataclass(frozen=True)
class Material:
    """The secret bytes of a key, in base64."""

    secret: str

    @property
    def bytes(self) -> bytes:
        """The bytes."""
        return base64.b64decode(self.secret)


@dataclass(frozen=True)
class Alias:
    """A name, `alias/...`, for the key with an id. Times are epoch seconds."""

    name: str
    target: str
    created: float
    updated: float


@dataclass(frozen=True)
class Grant:
    """What somebody may do with a key. The principals are unique ids, or ARNs where those are of others."""

    id: str
    token: str
    grantee: str
    operations: list[str]
    created: float
    issuer: str
    retiring: str | None = None
    name: str | None = None
    constraints: dict[str, dict[str, str]] = field(default_factory=dict)


KEYS = Collection("kms-key", Key)
MATERIALS = Collection("kms-material", Material)
ALIASES = Collection("kms-alias", Alias)
GRANTS = Collection("kms-grant", Grant)
"""Under the key of its key and its own id."""


class Meant(NamedTuple):
    """What a KeyId means: a key, or None; the ARN that is authorised; the alias that was used."""

    key: Key | None
    arn: str
    alias: str | None = None


async def meant(ctx: Context, text: str) -> Meant:
    """The key behind a KeyId: an id, an ARN, or an alias. Raises NotFoundException, InvalidArnException."""
    found = await ctx.store.read(lambda tx: _meant(tx, ctx, text))
    if found.key is None and (alias := managed_alias(ctx, text)) is not None:
        await ctx.store.write(lambda tx: _make_managed(tx, ctx, alias))
        found = await ctx.store.read(lambda tx: _meant(tx, ctx, text))
    return found


async def required(ctx: Context, text: str) -> Key:
    """The key behind a KeyId. Raises NotFoundException."""
    found = await meant(ctx, text)
    return found.key or _missing(found)


async def usable(ctx: Context, text: str) -> Key:
    """The key, if it can encrypt. Raises NotFoundException, DisabledException, KMSInvalidStateException."""
    key = await required(ctx, text)
    if key.state == PENDING_DELETION:
        raise refusals.pending_deletion(key.arn)
    if key.state != ENABLED:
        raise refusals.disabled(key.arn)
    return key


def required_key(tx: Tx, arn: str) -> Key:
    """The key with an ARN that is ours. Raises NotFoundException."""
    parsed = arns.parse(arn)
    assert parsed is not None, "it was found a moment ago"
    stored = resource_key(Account(parsed.account), Region(parsed.region), parsed.resource.removeprefix(_KEY))
    return KEYS.require(tx, stored, lambda: refusals.no_key(arn))


def add(tx: Tx, key: Key) -> None:
    """Store a new key with new material."""
    KEYS.put(tx, key.key, key)
    secret = base64.b64encode(os.urandom(MATERIAL_BYTES)).decode()
    MATERIALS.put(tx, key.key, Material(secret))


def every(tx: Tx, ctx: Context) -> list[Key]:
    """The keys of the place, by id."""
    now = ctx.clock()
    return [key for _, key in KEYS.within(tx, *ctx.location) if not _is_gone(key, now)]


def aliases_of(tx: Tx, key: Key) -> list[Alias]:
    """The aliases of a key, by name."""
    return [alias for _, alias in ALIASES.within(tx, key.account, key.region) if alias.target == key.id]


def grants_of(tx: Tx, key: Key) -> list[Grant]:
    """The grants on a key, by id."""
    return [grant for _, grant in GRANTS.children(tx, key.key)]


def delete_gone(tx: Tx, ctx: Context) -> None:
    """Remove the keys whose time has come, with their material, aliases and grants."""
    now = ctx.clock()
    for stored, key in KEYS.within(tx, *ctx.location):
        if not _is_gone(key, now):
            continue
        for alias in aliases_of(tx, key):
            ALIASES.delete(tx, resource_key(key.account, key.region, alias.name))
        for grant, _ in GRANTS.children(tx, stored):
            GRANTS.delete(tx, grant)
        MATERIALS.delete(tx, stored)
        KEYS.delete(tx, stored)


def metadata(key: Key) -> dict[str, Any]:
    """A KeyMetadata in AWS's spelling."""
    shown: dict[str, Any] = {
        "AWSAccountId": key.account,
        "KeyId": key.id,
        "Arn": key.arn,
        "CreationDate": key.created,
        "Enabled": key.state == ENABLED,
        "Description": key.description,
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": key.state,
        "Origin": "AWS_KMS",
        "KeyManager": key.manager,
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "MultiRegion": False,
    }
    return shown if key.deleted is None else {**shown, "DeletionDate": key.deleted}


def alias_arn(ctx: Context, name: str) -> str:
    """The ARN of an alias of this place, `alias/...`."""
    return arns.kms_alias(ctx.region, ctx.account, name.removeprefix(_ALIAS))


def managed_alias(ctx: Context, text: str) -> str | None:
    """The alias of AWS's own key that a KeyId means; None for every other."""
    for alias in MANAGED:
        id_ = managed_id(ctx, alias)
        arn = arns.kms_key(ctx.region, ctx.account, id_)
        if text in (alias, alias_arn(ctx, alias), id_, arn):
            return alias
    return None


def managed_id(ctx: Context, alias: str) -> str:
    """The id of AWS's own key with an alias; always the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"kms/{ctx.region}/{ctx.account}/{alias}"))


def days(seconds: float, number: int) -> float:
    """The moment that is a number of days later."""
    return seconds + number * _DAY_SECONDS


def changed(tx: Tx, key: Key, **changes: Any) -> Key:
    """Store a key with changes."""
    after = replace(key, **changes)
    KEYS.put(tx, key.key, after)
    return after


def _meant(tx: Tx, ctx: Context, text: str) -> Meant:
    if text.startswith("arn:"):
        return _by_arn(tx, ctx, text)
    if text.startswith(_ALIAS):
        return _by_alias(tx, ctx, text)
    try:
        arn = arns.kms_key(ctx.region, ctx.account, text)
    except InvalidPart:
        raise refusals.invalid_key_id(text) from None
    return Meant(_live(KEYS.get(tx, ctx.key(text)), ctx), arn)


def _by_arn(tx: Tx, ctx: Context, text: str) -> Meant:
    parsed = arns.parse(text)
    if parsed is None or (parsed.partition, parsed.service) != (arns.PARTITION, "kms"):
        raise refusals.invalid_arn(text)
    if parsed.region != ctx.region:
        raise refusals.invalid_arn(text)
    ours = parsed.account == ctx.account
    if parsed.resource.startswith(_ALIAS):
        return _by_alias(tx, ctx, parsed.resource) if ours else Meant(None, text)
    if not parsed.resource.startswith(_KEY):
        raise refusals.invalid_arn(text)
    found = KEYS.get(tx, ctx.key(parsed.resource.removeprefix(_KEY))) if ours else None
    return Meant(_live(found, ctx), text)


def _by_alias(tx: Tx, ctx: Context, name: str) -> Meant:
    try:
        arn = alias_arn(ctx, name)
    except InvalidPart:
        raise refusals.invalid_key_id(name) from None
    alias = ALIASES.get(tx, ctx.key(name))
    key = None if alias is None else _live(KEYS.get(tx, ctx.key(alias.target)), ctx)
    return Meant(None, arn, name) if key is None else Meant(key, key.arn, name)


def _live(key: Key | None, ctx: Context) -> Key | None:
    return None if key is None or _is_gone(key, ctx.clock()) else key


def _is_gone(key: Key, now: float) -> bool:
    return key.deleted is not None and key.deleted <= now


def _missing(found: Meant) -> Key:
    raise refusals.no_key(found.arn) if found.alias is None else refusals.no_alias(found.arn)


def _make_managed(tx: Tx, ctx: Context, alias: str) -> None:
    now, service = ctx.clock(), MANAGED[alias]
    key = Key(
        account=ctx.account,
        region=ctx.region,
        id=managed_id(ctx, alias),
        created=now,
        policy=_managed_policy(ctx, service),
        description=f"Default key that protects my {service.upper()} data when no other key is defined",
        manager="AWS",
    )
    if KEYS.get(tx, key.key) is None:
        add(tx, key)
        ALIASES.put(tx, ctx.key(alias), Alias(alias, key.id, now, now))


def _managed_policy(ctx: Context, service: str) -> str:
    """https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#aws-managed-key"""
    via = {"kms:CallerAccount": ctx.account, "kms:ViaService": f"{service}.{ctx.region}.amazonaws.com"}
    use = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    look = ["kms:Describe*", "kms:Get*", "kms:List*"]
    name = service.upper()
    document = {
        "Version": "2012-10-17",
        "Id": f"auto-{service}-2",
        "Statement": [
            {
                "Sid": f"Allow access through {name} for all principals in the account that are authorized to"
                f" use {name}",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": use,
                "Resource": "*",
                "Condition": {"StringEquals": via},
            },
            {
                "Sid": "Allow direct access to key metadata to the account",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{arns.PARTITION}:iam::{ctx.account}:root"},
                "Action": look,
                "Resource": "*",
            },
        ],
    }
    return orjson.dumps(document).decode()
