"""Credentials of a running job's own role, or of a served model's, for its program, which asks again before
they expire.

A program gets the address of its instance and a token (AWS_CONTAINER_CREDENTIALS_FULL_URI,
AWS_CONTAINER_AUTHORIZATION_TOKEN). The token is random for each instance; the job's record has its hash, so
that it outlives the server and dies with the job. The role is assumed anew for each answer, so its trust
policy counts each time.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import NamedTuple

from passrole import iso8601
from passrole.services.context import CallOperation
from passrole.services.sagemaker.jobs.kinds import KINDS, JobKind
from passrole.services.sagemaker.jobs.records import Job
from passrole.services.service_sessions import SessionRequest, assume, request_for
from passrole.store import Store, Tx

PATH = "/_passrole/job-credentials/"
"""Before the place of an instance in its address (gateway/job_credentials.py)."""

_SERVICE, _SESSION = "sagemaker.amazonaws.com", "SageMaker"


def session_request(job: Job) -> SessionRequest:
    """The session of the job's role in which SageMaker acts for it."""
    return request_for(_SERVICE, job.role_arn, _SESSION, job.arn)


def new_token() -> tuple[str, str]:
    """A token, and its hash for the job's record."""
    token = secrets.token_urlsafe(32)
    return token, _hash(token)


def place(kind: JobKind, job: Job, host: str) -> str:
    """An instance of a job, as the last part of its address."""
    return f"{kind.resource}/{job.key}/{host}"


class Bearer(NamedTuple):
    """A program that may ask: by the token with this hash, for a session of its role."""

    token_hash: str
    session: SessionRequest


FindBearer = Callable[[Tx, str, str], Bearer | None]
"""The program in the place of this key and host, while it may ask."""


class JobCredentials:
    """Issues credentials to programs of jobs; `others` finds programs of other resources, by their type."""

    def __init__(
        self, store: Store, call: CallOperation, others: Mapping[str, FindBearer] | None = None
    ) -> None:
        self._store = store
        self._call = call
        jobs = {resource: _finder(kind) for resource, kind in KINDS.items()}
        self._finders: Mapping[str, FindBearer] = {**jobs, **(others or {})}

    async def __call__(self, place: str, token: str) -> Mapping[str, str] | None:
        """What an SDK expects, or None for a wrong token and for a program that has ended or never was.

        Raises Fault where SageMaker may not assume the role any more.
        """
        resource, _, rest = place.partition("/")
        key, _, host = rest.rpartition("/")
        find = self._finders.get(resource)
        bearer = None if find is None else await self._store.read(lambda tx: find(tx, key, host))
        known = bearer.token_hash if bearer is not None else ""
        if not hmac.compare_digest(known, _hash(token)) or bearer is None:
            return None
        given = (await assume(self._call, bearer.session)).credentials
        return {
            "AccessKeyId": given.access_key,
            "SecretAccessKey": given.secret_key,
            "Token": given.session_token,
            "Expiration": iso8601.seconds(given.expires),
            "RoleArn": bearer.session.role,
            "AccountId": bearer.session.caller.account,
        }


def _finder(kind: JobKind) -> FindBearer:
    def find(tx: Tx, key: str, host: str) -> Bearer | None:
        job = kind.collection.get(tx, key)
        if job is None or job.has_ended or host not in job.tokens:
            return None
        return Bearer(job.tokens[host], session_request(job))

    return find


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
