"""Credentials of roles for programs that run long, which ask again before they expire.

A program gets an address and a token (AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_AUTHORIZATION_TOKEN).
Each service says who may ask, by a FindBearer: a token lives no longer than the program that has it. The role
is assumed anew for each answer, so its trust policy counts each time.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from passrole import iso8601
from passrole.services.context import CallOperation
from passrole.services.service_sessions import SessionRequest, assume
from passrole.store import Store, Tx

PATH = "/_passrole/job-credentials/"
"""Before the place of a program in its address (gateway/job_credentials.py)."""


class Bearer(NamedTuple):
    """A program that may ask: by the token with this hash, for a session of its role.

    `role` is another one, which that session assumes in turn.
    """

    token_hash: str
    session: SessionRequest
    role: str | None = None


FindBearer = Callable[[Tx, str, str], Bearer | None]
"""The program in the place of this key and name, while it may ask."""


def new_token() -> tuple[str, str]:
    """A token, and its hash for the record of the program."""
    token = secrets.token_urlsafe(32)
    return token, hash_of(token)


def hash_of(token: str) -> str:
    """What is kept of a token, or compared."""
    return hashlib.sha256(token.encode()).hexdigest()


class ProgramCredentials:
    """Issues credentials to programs, which `finders` find by the type of their resource."""

    def __init__(self, store: Store, call: CallOperation, finders: Mapping[str, FindBearer]) -> None:
        self._store = store
        self._call = call
        self._finders = finders

    async def __call__(self, place: str, token: str) -> Mapping[str, str | int] | None:
        """What an SDK expects of a container's credentials and of a `credential_process`, or None for a
        wrong token and for a program that has ended or never was.

        Raises Fault where the service may not assume the role any more.
        """
        resource, _, rest = place.partition("/")
        key, _, name = rest.rpartition("/")
        find = self._finders.get(resource)
        bearer = None if find is None else await self._store.read(lambda tx: find(tx, key, name))
        known = bearer.token_hash if bearer is not None else ""
        if not hmac.compare_digest(known, hash_of(token)) or bearer is None:
            return None
        request, assumed = bearer.session, await assume(self._call, bearer.session)
        if bearer.role is not None:
            request = replace(request, role=bearer.role, caller=assumed.principal)
            assumed = await assume(self._call, request)
        given = assumed.credentials
        return {
            "Version": 1,
            "AccessKeyId": given.access_key,
            "SecretAccessKey": given.secret_key,
            "Token": given.session_token,
            "SessionToken": given.session_token,
            "Expiration": iso8601.seconds(given.expires),
            "RoleArn": request.role,
            "AccountId": bearer.session.caller.account,
        }
