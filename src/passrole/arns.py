"""ARNs, built in one place so that a resource is spelled the same wherever it is named."""

from typing import NamedTuple

PARTITION = "aws"


class Arn(NamedTuple):
    """The six parts of `arn:partition:service:region:account:resource`."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return ":".join(("arn", *self))


def parse(text: str) -> Arn | None:
    """The parts of an ARN, or None where `text` is not one."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return None
    return Arn(*parts[1:])


def pipeline(region: str, account: str, name: str) -> str:
    """A pipeline; SageMaker keeps the letter case of its name in the ARN."""
    return f"arn:{PARTITION}:sagemaker:{region}:{account}:pipeline/{name}"


def execution(region: str, account: str, pipeline_name: str, execution_id: str) -> str:
    """One execution of a pipeline."""
    return f"{pipeline(region, account, pipeline_name)}/execution/{execution_id}"


def function(region: str, account: str, name: str) -> str:
    """A Lambda function, unqualified."""
    return f"arn:{PARTITION}:lambda:{region}:{account}:function:{name}"


def queue(region: str, account: str, name: str) -> str:
    """An SQS queue."""
    return f"arn:{PARTITION}:sqs:{region}:{account}:{name}"


def cluster(region: str, account: str, cluster_id: str) -> str:
    """An EMR cluster."""
    return f"arn:{PARTITION}:elasticmapreduce:{region}:{account}:cluster/{cluster_id}"


def instance(region: str, account: str, instance_id: str) -> str:
    """An EC2 instance."""
    return f"arn:{PARTITION}:ec2:{region}:{account}:instance/{instance_id}"


def rule(region: str, account: str, name: str, bus: str = "default") -> str:
    """A rule of EventBridge; those of the default bus do not name it."""
    path = name if bus == "default" else f"{bus}/{name}"
    return f"arn:{PARTITION}:events:{region}:{account}:rule/{path}"


def event_bus(region: str, account: str, name: str) -> str:
    """A bus of EventBridge."""
    return f"arn:{PARTITION}:events:{region}:{account}:event-bus/{name}"


def iam(account: str, kind: str, path: str, name: str) -> str:
    """A role, user, policy or instance profile; `path` begins and ends with a slash."""
    return f"arn:{PARTITION}:iam::{account}:{kind}{path}{name}"


def assumed_role(account: str, role_name: str, session_name: str) -> str:
    """A session of a role, as GetCallerIdentity and denials print it (without the role's path)."""
    return f"arn:{PARTITION}:sts::{account}:assumed-role/{role_name}/{session_name}"
