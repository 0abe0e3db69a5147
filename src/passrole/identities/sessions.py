"""Temporary credentials without a row: everything that a session is stands in its token.

The token is a message authentication code followed by JSON, in base64url. The access key id and the
secret key are derived from the token under the server's secret, so a session survives restarts,
counts on every machine that shares the store, and costs no write. It cannot be revoked one by one; it
ends with its expiry, or with its role (directory.py compares the role's unique id).

A token that was altered, or that belongs to another key id, is simply unknown. Pure but for `server_secret`
and the chance in `issue`.
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
    """The access key id, or its session token, is not one of ours, or is not active."""


class ExpiredSession(Exception):
    """The session was ours and is over."""


@dataclass(frozen=True)
class Session:
    """An assumed role. `issued` and `expires` are epoch seconds.

    `policies` (documents) and `policy_arns` narrow what the role may do. `transitive_tags` are keys of
    `tags`; `keys` are condition keys of every call with these credentials.
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
        """As GetCallerIdentity and denials print it."""
        return arns.assumed_role(self.account, self.role_name, self.name)


class SessionCredentials(NamedTuple):
    """What the caller signs with."""

    access_key: str
    secret_key: str
    session_token: str


@dataclass(frozen=True)
class ServerSecret:
    """The store's own secret, in base64url; made once."""

    value: str


SECRETS = Collection("identities-secret", ServerSecret)


async def server_secret(store: Store) -> bytes:
    """The store's secret, made on first use."""
    kept = await store.read(_kept)
    return _unpacked((await store.write(_made_once) if kept is None else kept).value)


def issue(secret: bytes, session: Session) -> SessionCredentials:
    """Credentials for the session."""
    content = orjson.dumps({**asdict(session), "nonce": secrets.token_hex(8)})
    token = _packed(_mac(secret, b"token", content) + content)
    return SessionCredentials(_access_key(secret, token), _secret_key(secret, token), token)


def open_token(secret: bytes, access_key: str, token: str) -> tuple[SessionCredentials, Session]:
    """The session that the token carries, expired or not. Raises UnknownKey."""
    try:
        raw = _unpacked(token)
    except ValueError:
        raise UnknownKey(access_key) from None
    mac, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
    ours = hmac.compare_digest(mac, _mac(secret, b"token", content))
    canonical = _packed(raw)  # of the many spellings of the same bytes only ours counts
    theirs = hmac.compare_digest(access_key.encode(), _access_key(secret, canonical).encode())
    if not (ours and theirs and canonical == token):
        raise UnknownKey(access_key)
    members = orjson.loads(content)
    del members["nonce"]
    return SessionCredentials(access_key, _secret_key(secret, token), token), Session(**members)


def _kept(tx: Tx) -> ServerSecret | None:
    return SECRETS.get(tx, "sessions")


def _made_once(tx: Tx) -> ServerSecret:
    SECRETS.add(tx, "sessions", ServerSecret(_packed(secrets.token_bytes(32))))
    made = _kept(tx)
    assert made is not None
    return made


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
    """Raises ValueError where the text is not base64url."""
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
