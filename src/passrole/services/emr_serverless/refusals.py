"""The errors of EMR Serverless in its own words; handlers raise them from here.

Those of states were seen on AWS (gchq/sleeper#1212,
aws-solutions-library-samples/guidance-for-clickstream-analytics-on-aws#60); the others are chosen.
"""

from collections.abc import Sequence

from passrole.faults import Fault


def invalid(message: str) -> Fault:
    """A value that this service does not take."""
    return Fault("ValidationException", message)


def unsupported(what: str, advice: str) -> Fault:
    """What AWS has and passrole has not."""
    return invalid(f"passrole does not support {what}: {advice}")


def no_application(application_id: str) -> Fault:
    """There is no such application."""
    return Fault("ResourceNotFoundException", f"Application {application_id} does not exist.")


def no_job_run(application_id: str, job_run_id: str) -> Fault:
    """The application has no such job run."""
    return Fault(
        "ResourceNotFoundException", f"Job run {job_run_id} of application {application_id} does not exist."
    )


def no_resource(arn: str) -> Fault:
    """Neither an application nor a job run of this account and region."""
    return Fault("ResourceNotFoundException", f"Resource {arn} does not exist.")


def other_request(token: str) -> Fault:
    """The same client token with another request."""
    return Fault("ConflictException", f"The client token {token} was used for a request that differs.")


def cannot_be(done: str, states: Sequence[str]) -> Fault:
    """The application is in another state than those in which it can be started, stopped or deleted."""
    return invalid(
        f"Application cannot be {done}. Applications must be in one of the following statuses:"
        f" [{', '.join(states)}]"
    )


def not_to_be_updated(application_id: str, states: Sequence[str], state: str) -> Fault:
    """The application is in another state than those in which it can be changed."""
    return invalid(
        f"Application {application_id} must be in one of the statuses to be updated: [{', '.join(states)}]."
        f" Current status: {state}"
    )


def has_job_runs(application_id: str) -> Fault:
    """An application is stopped while job runs go on."""
    return invalid(
        f"Application {application_id} has job runs that are not over: wait for them, or cancel them, and"
        " stop it again."
    )


def not_started(application_id: str, state: str) -> Fault:
    """A job run of an application that is not started, and does not start by itself."""
    return invalid(
        f"Application {application_id} is in state {state} and autoStartConfiguration is disabled: start it"
        " first."
    )


def job_run_is_over(job_run_id: str, state: str) -> Fault:
    """A job run that is over is cancelled."""
    return invalid(f"Job run {job_run_id} is in state {state} and cannot be cancelled.")


def bad_token(_token: str) -> Fault:
    """Not a token that a list gave out."""
    return invalid("Invalid nextToken.")
