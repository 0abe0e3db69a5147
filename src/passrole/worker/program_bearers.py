"""Which programs may ask for credentials of roles again, of all that the worker runs."""

from collections.abc import Mapping

from passrole.services.emr import credentials as emr_steps
from passrole.services.emr_serverless import credentials as job_runs
from passrole.services.program_credentials import FindBearer
from passrole.services.sagemaker.hosting import credentials as hosting
from passrole.services.sagemaker.jobs import credentials as jobs


def finders() -> Mapping[str, FindBearer]:
    """Who finds the program in a place, by the type of its resource."""
    return {
        **jobs.finders(),
        hosting.RESOURCE: hosting.bearer,
        emr_steps.RESOURCE: emr_steps.bearer,
        job_runs.RESOURCE: job_runs.bearer,
    }
