"""How SageMaker refuses calls about jobs."""

from passrole.faults import Fault
from passrole.services.sagemaker.jobs.kinds import JobKind
from passrole.services.sagemaker.jobs.records import Job


def not_found(kind: JobKind, name: str) -> Fault:
    """No job of that name; the kinds have different errors for it."""
    code, message = kind.missing
    return Fault(code, message.replace("{name}", name))


def name_taken(kind: JobKind, job: Job) -> Fault:
    """A name cannot be reused, even after its job has ended."""
    return Fault("ResourceInUse", kind.taken.replace("{name}", job.name).replace("{arn}", job.arn))


def has_ended(kind: JobKind, job: Job) -> Fault:
    """A job that has ended cannot be stopped. https://github.com/awslabs/benchmark-ai/issues/928"""
    message = (
        f"The request was rejected because the {kind.resource.replace('-', ' ')} is in status {job.status}."
    )
    return Fault("ValidationException", message)


def no_objects(uri: str, region: str, role_arn: str, bucket: str) -> Fault:
    """No object in S3 under the URI of an input.

    https://github.com/aws/amazon-sagemaker-examples/issues/2489
    """
    return Fault(
        "ValidationException",
        f'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the bucket '
        f"exists in the selected region ({region}), that objects exist under that S3 prefix, and that the "
        f'role "{role_arn}" has "s3:ListBucket" permissions on bucket "{bucket}".',
    )


def outside_of_ml(path: str) -> Fault:
    """A local path outside of /opt/ml."""
    return Fault("ValidationException", f"The local path {path} must be below /opt/ml.")


def unsupported(member: str, value: str) -> Fault:
    """A parameter that AWS supports and passrole does not."""
    return Fault("ValidationException", f"passrole does not support {member} {value}")
