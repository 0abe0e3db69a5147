"""The policies attached to functions, queues, buckets, keys and roles of a running service.

A missing resource, or a service without the operation, counts as no policy. A policy that may not be read is
reported, because a verdict without it may be wrong.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

from botocore.exceptions import BotoCoreError, ClientError

from passrole import arns
from passrole.cli.permissions.policy_files import compile_stored
from passrole.policy.document import CompiledPolicy

if TYPE_CHECKING:
    from passrole.client.connection import Client

# A botocore client for a service, in the given region or that of the settings.
ClientOf = Callable[[str, str | None], Any]

DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})


def attached_policies(
    client_of: ClientOf, resources: Iterable[str]
) -> tuple[dict[str, CompiledPolicy], list[str]]:
    """Policies by the ARN of their resource, and the ARNs of those that may not be read.

    Raises Misuse where one cannot be used.
    """
    policies: dict[str, CompiledPolicy] = {}
    closed = []
    client_of = cache(client_of)  # creating a client takes longer than a call
    for resource in dict.fromkeys(resources):
        try:
            found = attached_policy(client_of, "resource", resource)
        except (ClientError, BotoCoreError):
            closed.append(resource)
        else:
            if found is not None:
                policies[resource] = found
    return policies, closed


def attached_policy(
    client_of: ClientOf, kind: Literal["resource", "trust"], resource: str
) -> CompiledPolicy | None:
    """A resource's policy, or a role's trust policy; None if nothing is attached.

    Raises Misuse where it cannot be used, ClientError where it may not be read or the role is not there, and
    BotoCoreError.
    """
    arn = arns.parse(resource)
    if arn is None:
        return None
    if kind == "trust":
        document = _trust(client_of("iam", None), arn)
        return compile_stored(document, "trust", resource) if document else None
    read = _READERS.get(arn.service)
    if read is None:
        return None
    try:
        document = read(client_of(arn.service, arn.region or None), arn)
    except ClientError as error:
        if error.response["Error"]["Code"] in DENIED:
            raise
        return None
    return compile_stored(document, "resource", resource) if document else None


def _function(client: "Client", arn: arns.Arn) -> Any:
    return client.get_policy(FunctionName=str(arn))["Policy"]


def _queue(client: "Client", arn: arns.Arn) -> Any:
    url = client.get_queue_url(QueueName=arn.resource, QueueOwnerAWSAccountId=arn.account)["QueueUrl"]
    answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    return answer.get("Attributes", {}).get("Policy")


def _bucket(client: "Client", arn: arns.Arn) -> Any:
    return client.get_bucket_policy(Bucket=arn.resource.partition("/")[0])["Policy"]


def _key(client: "Client", arn: arns.Arn) -> Any:
    return client.get_key_policy(KeyId=str(arn), PolicyName="default")["Policy"]


def _trust(client: "Client", arn: arns.Arn) -> Any:
    name = arn.resource.rpartition("/")[2]
    return client.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]


_READERS: Final[Mapping[str, Callable[["Client", arns.Arn], Any]]] = {
    "lambda": _function,
    "sqs": _queue,
    "s3": _bucket,
    "kms": _key,
}
