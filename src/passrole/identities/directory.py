"""Finds the owner of an access key and a caller's effective policies; cached, since every call needs both.

It knows no HTTP and decides nothing. The caches are cleared when any identity changes: each write notifies
the channel `identities`. A change by another process whose notice is lost is seen after seconds
(store/cache.py).

The stored state counts, not the state when the credentials were issued: a change of a role's policies applies
to its sessions at once. A session of a role that was deleted, or recreated under the same name (its unique id
differs), is invalid, and so is an access key of such a user. Otherwise resource policies that name the ARN
would apply to it without the Denies and the boundary of the deleted identity.
"""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import NamedTuple

import orjson

from passrole import iso8601
from passrole.clock import Clock
from passrole.config import Config
from passrole.identities import records, sessions
from passrole.identities.records import Role, User
from passrole.identities.sessions import ExpiredSession, Session, UnknownKey
from passrole.policy import CompiledPolicy, PolicySet, managed
from passrole.policy.document import compile_document
from passrole.policy.evaluate import NamedPolicy
from passrole.policy.request import Principal
from passrole.policy.tags import merged
from passrole.store import Store, Tx
from passrole.store.cache import Cache

ENTRIES_MAX = 10_000
_WITHOUT_ROW = frozenset({"service", "root"})

# In place of a deleted policy: leaving it out would remove the limit that it set.
GRANTS_NOTHING = '{"Version":"2012-10-17","Statement":[]}'


class AccessKeyIdentity(NamedTuple):
    """The secret of an access key, and the principal that it belongs to."""

    secret_key: str
    principal: Principal


class EffectivePolicies(NamedTuple):
    """The policies and tags of a caller's user or role."""

    policies: PolicySet
    tags: Mapping[str, str]


class _CachedSession(NamedTuple):
    access_key: str
    expires: float
    identity: AccessKeyIdentity


class Directory:
    """The cached directory; one for a server."""

    def __init__(self, store: Store, clock: Clock, config: Config) -> None:
        self._store = store
        self._clock = clock
        self._account = config.account
        self._secret: bytes | None = None
        self._keys: Cache[str, AccessKeyIdentity] = Cache(ENTRIES_MAX)
        self._sessions: Cache[str, _CachedSession] = Cache(ENTRIES_MAX)
        self._effective_policies: Cache[tuple[str, ...], EffectivePolicies] = Cache(ENTRIES_MAX)
        self.close = store.listen(records.CHANNEL, self._forget)  # call it to stop listening

    async def credentials(self, access_key: str, session_token: str | None) -> AccessKeyIdentity:
        """The identity of an access key.

        Raises UnknownKey (also for an inactive key, a session's key without its token, and a deleted user or
        role) and ExpiredSession.
        """
        if session_token is None:
            known = self._keys.get(access_key)
            return known or await self._keys.read(access_key, partial(self._user_key, access_key))
        cached = self._sessions.get(session_token)
        if cached is None or cached.access_key != access_key:
            read = partial(self._session, access_key, session_token)
            cached = await self._sessions.read(session_token, read)
        if cached.expires <= self._clock():
            raise ExpiredSession(access_key)
        return cached.identity

    async def effective_policies(self, principal: Principal) -> EffectivePolicies:
        """The caller's identity-based policies, boundary and session policies, and its tags.

        Empty for a service, which only resource-based policies can allow, and for the root user (`evaluate`
        handles both). Raises UnknownKey if the user or role was deleted.
        """
        key = (principal.kind, principal.arn, principal.id, *principal.session_policies)
        known = self._effective_policies.get(key)
        return known or await self._effective_policies.read(key, partial(self._policies, principal))

    def _forget(self, _: str) -> None:
        self._keys.forget()
        self._sessions.forget()
        self._effective_policies.forget()

    async def _user_key(self, access_key: str) -> AccessKeyIdentity:
        known = await self._store.read(lambda tx: _user_identity(tx, self._account, access_key))
        if known is None:
            raise UnknownKey(access_key)
        return known

    async def _session(self, access_key: str, token: str) -> _CachedSession:
        if self._secret is None:
            self._secret = await sessions.server_secret(self._store)
        credentials, session = sessions.open_token(self._secret, access_key, token)
        if session.account != self._account:
            raise UnknownKey(access_key)
        principal = await self._store.read(lambda tx: _session_principal(tx, access_key, session))
        if principal is None:
            raise UnknownKey(access_key)
        identity = AccessKeyIdentity(credentials.secret_key, principal)
        return _CachedSession(access_key, session.expires, identity)

    async def _policies(self, principal: Principal) -> EffectivePolicies:
        found = await self._store.read(lambda tx: _read_policies(tx, principal))
        if found is None:
            raise UnknownKey(principal.arn)
        return found


def managed_document(tx: Tx, arn: str) -> str | None:
    """The document of a managed policy's default version, AWS's own or a customer's."""
    ours = managed.policies().get(arn)
    if ours is not None:
        return orjson.dumps(ours.default.document).decode()
    policy = records.find_arn(tx, records.POLICIES, arn)
    version = records.policy_version(tx, policy, policy.default) if policy else None
    return version.document if version else None


def _user_identity(tx: Tx, account: str, access_key: str) -> AccessKeyIdentity | None:
    key = records.ACCESS_KEYS.get(tx, access_key)
    if key is None or key.account != account or key.status != records.ACTIVE:
        return None
    user = records.find(tx, records.USERS, account, key.user)
    if user is None or key.user_id not in (None, user.id):
        return None
    principal = Principal(
        "user", user.arn, account, user.id, user.name, tags=user.tags, access_key=access_key
    )
    return AccessKeyIdentity(key.secret, principal)


def _session_principal(tx: Tx, access_key: str, session: Session) -> Principal | None:
    role = records.find_arn(tx, records.ROLES, session.role_arn)
    if role is None or role.id != session.role_id:
        return None
    narrowing = [managed_document(tx, arn) or GRANTS_NOTHING for arn in session.policy_arns]
    return Principal(
        kind="role",
        arn=session.arn,
        account=session.account,
        id=f"{session.role_id}:{session.name}",
        name=session.role_name,
        role_arn=session.role_arn,
        session_name=session.name,
        session_policies=(*session.policies, *narrowing),
        token_issued=iso8601.seconds(session.issued),
        tags=merged(role.tags, session.tags),
        transitive_tags=tuple(session.transitive_tags),
        keys=session.keys,
        access_key=access_key,
        expires=session.expires,
    )


def _read_policies(tx: Tx, principal: Principal) -> EffectivePolicies | None:
    session = tuple(("session policy", _compiled(text)) for text in principal.session_policies)
    holder = _holder(tx, principal)
    if holder is None:
        return EffectivePolicies(PolicySet(session=session), {}) if principal.kind in _WITHOUT_ROW else None
    inline = [(name, _compiled(text)) for name, text in holder.inline.items()]
    attached = [_managed(tx, arn) for arn in holder.attached]
    policies = PolicySet(
        identity=(*inline, *attached),
        boundary=_managed(tx, holder.boundary) if holder.boundary else None,
        session=session,
    )
    return EffectivePolicies(policies, holder.tags)


def _holder(tx: Tx, principal: Principal) -> User | Role | None:
    """The caller's user or role, if it is still the one for which the credentials were issued."""
    row: User | Role | None = None
    if principal.kind == "user":
        row = records.find(tx, records.USERS, principal.account, principal.name)
    elif principal.kind == "role":
        row = records.find_arn(tx, records.ROLES, principal.role_arn or "")
    return row if row is not None and row.id == principal.id.partition(":")[0] else None


def _managed(tx: Tx, arn: str) -> NamedPolicy:
    return arn, _compiled(managed_document(tx, arn) or GRANTS_NOTHING)


@lru_cache(maxsize=1024)
def _compiled(text: str) -> CompiledPolicy:
    return compile_document(orjson.loads(text))
