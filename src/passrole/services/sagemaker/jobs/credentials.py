"""Credentials of a running job's own role, for its program, which asks again before they expire.

A program gets the address of its instance and a token (AWS_CONTAINER_CREDENTIALS_FULL_URI,
AWS_CONTAINER_AUTHORIZATION_TOKEN). The token is random for each instance; the job's record has its hash, so
that it outlives the server and dies with the job. The role is assumed anew for each answer, so its trust
policy counts each time.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping

from passrole import iso8601
from passrole.services.context import CallOperation
from passrole.services.sagemaker.jobs.kinds import KINDS, JobKind
from passrole.services.sagemaker.jobs.records import Job
from passrole.services.service_sessions import SessionRequest, assume, request_for
from passrole.store import Store

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


class JobCredentials:
    """Issues credentials to programs of jobs."""

    def __init__(self, store: Store, call: CallOperation) -> None:
        self._store = store
        self._call = call

    async def __call__(self, place: str, token: str) -> Mapping[str, str] | None:
        """What an SDK expects, or None for a wrong token and for a job that has ended or never was.

        Raises Fault where SageMaker may not assume the role any more.
        """
        job = await self._job(place)
        host = place.rpartition("/")[2]
        known = job.tokens.get(host, "") if job is not None and not job.has_ended else ""
        if not hmac.compare_digest(known, _hash(token)) or job is None:
            return None
        given = (await assume(self._call, session_request(job))).credentials
        return {
            "AccessKeyId": given.access_key,
            "SecretAccessKey": given.secret_key,
            "Token": given.session_token,
            "Expiration": iso8601.seconds(given.expires),
            "RoleArn": job.role_arn,
            "AccountId": job.account,
        }

    async def _job(self, place: str) -> Job | None:
        resource, _, rest = place.partition("/")
        key, _, _ = rest.rpartition("/")
        kind = KINDS.get(resource)
        return None if kind is None else await self._store.read(lambda tx: kind.collection.get(tx, key))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
