"""Sessions of the console: a link that signs in once, and the session that it opens.

Both are rows under the hash of a secret, so that neither the store nor a backup lets anybody in. A session is
its principal: it ends after twelve hours, with the key that asked for the link (directory.py), or with the
user or role.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from passrole.policy.request import Principal
from passrole.store import Collection, Tx

LINK_SECONDS = 60
SESSION_SECONDS = 12 * 3600

_TUPLES = ("session_policies", "transitive_tags")


@dataclass(frozen=True)
class ConsoleSession:
    """Who is signed in, by which access key, and until when.

    `opens_until` is of a link: it opens the session until then. Moments are seconds since the epoch.
    """

    principal: Mapping[str, Any]
    access_key: str
    expires: float
    opens_until: float = 0.0

    @property
    def caller(self) -> Principal:
        """Who calls in the session."""
        members = dict(self.principal)
        return Principal(**members | {name: tuple(members[name]) for name in _TUPLES})


LINKS = Collection("console-link", ConsoleSession)
SESSIONS = Collection("console-session", ConsoleSession)


def add_link(tx: Tx, caller: Principal, signer: Principal, now: float) -> str:
    """The secret of a link that signs in as the caller, once, within LINK_SECONDS.

    `signer` is who asked for it: the session ends with the credentials that signed.
    """
    _remove_ended(tx, now)
    secret = secrets.token_urlsafe(32)
    expires = min(now + SESSION_SECONDS, signer.expires or now + SESSION_SECONDS)
    members = asdict(replace(caller, access_key="", expires=None))
    link = ConsoleSession(members, signer.access_key, expires, opens_until=now + LINK_SECONDS)
    LINKS.put(tx, _digest(secret), link)
    return secret


def open_link(tx: Tx, secret: str, now: float) -> str | None:
    """The secret of a new session; None where the link is unknown, used or too old."""
    link = LINKS.get(tx, _digest(secret))
    if link is None or not LINKS.delete(tx, _digest(secret)) or link.opens_until <= now:
        return None
    opened = secrets.token_urlsafe(32)
    SESSIONS.put(tx, _digest(opened), link)
    return opened


def find(tx: Tx, secret: str, now: float) -> ConsoleSession | None:
    """The session with this secret, unless its time is over."""
    found = SESSIONS.get(tx, _digest(secret))
    return found if found is not None and found.expires > now else None


def close(tx: Tx, secret: str) -> None:
    """End a session."""
    SESSIONS.delete(tx, _digest(secret))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _remove_ended(tx: Tx, now: float) -> None:
    for key, link in LINKS.all(tx):
        if link.opens_until <= now:
            LINKS.delete(tx, key)
    for key, session in SESSIONS.all(tx):
        if session.expires <= now:
            SESSIONS.delete(tx, key)
