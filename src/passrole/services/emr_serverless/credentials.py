"""Who may ask for the credentials of a job run's role: its program, while the attempt goes on.

EMR Serverless assumes the role for the application, which is what aws:SourceArn has.
https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/security-iam-runtime-role.html
"""

from passrole import arns
from passrole.services.emr_serverless.job_runs import SERVICE
from passrole.services.emr_serverless.records import OVER, RUNS, JobRun
from passrole.services.program_credentials import Bearer, hash_of
from passrole.services.service_sessions import SessionRequest, request_for
from passrole.store import Tx

RESOURCE = "emr-serverless-job-run"


def session_request(run: JobRun) -> SessionRequest:
    """The session of the job run's role."""
    application = arns.serverless_application(run.region, run.account, run.application_id)
    return request_for(SERVICE, run.role, run.id, application)


def place(run: JobRun) -> str:
    """A job run's program, as the last part of its address."""
    return f"{RESOURCE}/{run.application}/{run.id}"


def bearer(tx: Tx, key: str, id_: str) -> Bearer | None:
    """See FindBearer."""
    run = RUNS.get(tx, RUNS.child(key, id_))
    if run is None or run.state in OVER or not run.secret:
        return None
    return Bearer(hash_of(run.secret), session_request(run))
