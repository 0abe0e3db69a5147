"""Who may ask for the credentials of a running job's own role: its program on each instance.

The token is random for each instance; the job's record has its hash, so that it outlives the server and dies
with the job. `services/program_credentials.py` answers.
"""

from collections.abc import Mapping

from passrole.services.program_credentials import Bearer, FindBearer
from passrole.services.sagemaker.jobs.kinds import KINDS, JobKind
from passrole.services.sagemaker.jobs.records import Job
from passrole.services.service_sessions import SessionRequest, request_for
from passrole.store import Tx

_SERVICE, _SESSION = "sagemaker.amazonaws.com", "SageMaker"


def session_request(job: Job) -> SessionRequest:
    """The session of the job's role in which SageMaker acts for it."""
    return request_for(_SERVICE, job.role_arn, _SESSION, job.arn)


def place(kind: JobKind, job: Job, host: str) -> str:
    """An instance of a job, as the last part of its address."""
    return f"{kind.resource}/{job.key}/{host}"


def finders() -> Mapping[str, FindBearer]:
    """Of the programs of each kind of job."""
    return {resource: _finder(kind) for resource, kind in KINDS.items()}


def _finder(kind: JobKind) -> FindBearer:
    def find(tx: Tx, key: str, host: str) -> Bearer | None:
        job = kind.collection.get(tx, key)
        if job is None or job.has_ended or host not in job.tokens:
            return None
        return Bearer(job.tokens[host], session_request(job))

    return find
