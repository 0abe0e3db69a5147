"""Temporary credentials without a row: the session token carries the whole session.

The token is a message authentication code followed by JSON, in base64url. The access key id and the secret
key are derived from the token with the server's secret, so a session survives restarts, is valid on every
machine that shares the store, and costs no write. A single session cannot be revoked; it ends when it expires
or its role is deleted (directory.py compares the role's unique id).

An altered token, or one that belongs to another key id, is unknown. Pure except for `server_secret` and the
random nonce in `issue`.
"""

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

import orjson

from passrole import arns
from passrole.arns import Account
from passrole.store import Collection, Store, Tx

ACCESS_KEY_PREFIX = "ASIA"
_MAC_BYTES = 32


class UnknownKey(Exception):
    """The access key id or its session token is unknown or inactive."""


class ExpiredSession(Exception):
    """The session has expired."""


@dataclass(frozen=True)
class Session:
    """A session of a role. `issued` and `expires` are epoch seconds.

    `policies` (documents) and `policy_arns` are its session policies. `transitive_tags` are keys of `tags`;
    `keys` are condition keys of every call with these credentials.
    """

    account: Account
    role_arn: str
    role_id: str
    role_name: str
    name: str
    issued: float
    expires: float
    policies: Sequence[str] = ()
    policy_arns: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive_tags: Sequence[str] = field(default_factory=list)
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The session's ARN, as GetCallerIdentity and denials print it."""
        return arns.assumed_role(self.account, self.role_name, self.name)


class SessionCredentials(NamedTuple):
    """The credentials of a session."""

    access_key: str
    secret_key: str
    session_token: str


@dataclass(frozen=True)
class ServerSecret:
    """The store's secret, in base64url; created once."""

    value: str


SECRETS = Collection("identities-secret", ServerSecret)


async def server_secret(store: Store) -> bytes:
    """The store's secret, created on first use."""
    stored = await store.read(_stored_secret)
    return _unpacked((await store.write(_create_secret) if stored is None else stored).value)


def issue(secret: bytes, session: Session) -> SessionCredentials:
    """Credentials for the session."""
    content = orjson.dumps({**asdict(session), "nonce": secrets.token_hex(8)})
    token = _packed(_mac(secret, b"token", content) + content)
    return SessionCredentials(_access_key(secret, token), _secret_key(secret, token), token)


def open_token(secret: bytes, access_key: str, token: str) -> tuple[SessionCredentials, Session]:
    """The session in the token, even if it has expired. Raises UnknownKey."""
    try:
        raw = _unpacked(token)
    except ValueError:
        raise UnknownKey(access_key) from None
    mac, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    ours = hmac.compare_digest(mac, _mac(secret, b"token", content))
    canonical = _packed(raw)  # base64 has several spellings of the same bytes; only this one is valid
    theirs = hmac.compare_digest(access_key.encode(), _access_key(secret, canonical).encode())
    if not (ours and theirs and canonical == token):
        raise UnknownKey(access_key)
    members = orjson.loads(content)
    del members["nonce"]
    return SessionCredentials(access_key, _secret_key(secret, token), token), Session(**members)


def _stored_secret(tx: Tx) -> ServerSecret | None:
    return SECRETS.get(tx, "sessions")


def _create_secret(tx: Tx) -> ServerSecret:
    SECRETS.add(tx, "sessions", ServerSecret(_packed(secrets.token_bytes(32))))
    secret = _stored_secret(tx)
    assert secret is not None
    return secret


def _access_key(secret: bytes, token: str) -> str:
    digest = _mac(secret, b"access-key", token.encode())
    return ACCESS_KEY_PREFIX + base64.b32encode(digest)[:16].decode()


def _secret_key(secret: bytes, token: str) -> str:
    return _packed(_mac(secret, b"secret-key", token.encode()))[:40]


def _mac(secret: bytes, purpose: bytes, content: bytes) -> bytes:
    return hmac.digest(secret, purpose + b"\0" + content, "sha256")


def _packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _unpacked(text: str) -> bytes:
    """Raises ValueError if the text is not base64url."""
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
