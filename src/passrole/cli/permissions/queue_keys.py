"""The KMS keys of the queues that Callback steps send to, which only the service knows.

A sender makes a data key and decrypts it, through SQS. The key `alias/aws/sqs` lets everyone who may send.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from passrole import arns
from passrole.cli.permissions.attached_policies import ClientOf
from passrole.needs import Need, Place
from passrole.needs.need import ANY, key_arn

_MANAGED: Final = "alias/aws/sqs"
_OF_SENDERS: Final = ("GenerateDataKey", "Decrypt")


def with_queue_keys(needs: Iterable[Need], client_of: ClientOf) -> Iterator[Need]:
    """The needs, each SendMessage followed by those of the queue's key; a queue that may not be looked at has
    none.
    """
    client_of = cache(client_of)  # creating a client takes longer than a call
    for need in needs:
        yield need
        if need.action == "sqs:SendMessage" and not need.is_pattern:
            yield from _of_key(need, client_of)


def _of_key(need: Need, client_of: ClientOf) -> Iterator[Need]:
    queue = arns.parse(need.resource)
    if queue is None:
        return
    try:
        sqs = client_of("sqs", queue.region)
        url = sqs.get_queue_url(QueueName=queue.resource, QueueOwnerAWSAccountId=queue.account)["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["KmsMasterKeyId"])
    except (ClientError, BotoCoreError):
        return
    key = found.get("Attributes", {}).get("KmsMasterKeyId", "")
    if not key or key.endswith(_MANAGED):
        return
    arn = _arn(key, queue, client_of)
    through = {
        "kms:ViaService": f"sqs.{queue.region}.amazonaws.com",
        "kms:EncryptionContext:aws:sqs:arn": str(queue),
    }
    for operation in _OF_SENDERS:
        yield replace(
            need,
            action=f"kms:{operation}",
            resource=arn,
            why="encrypts the message with the queue's key",
            context=through,
            is_pattern=ANY in arn,
        )


def _arn(key: str, queue: arns.Arn, client_of: ClientOf) -> str:
    """The key that an alias stands for, if that may be looked up."""
    try:
        kms = client_of("kms", queue.region)
        return str(kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"])
    except (ClientError, BotoCoreError):
        return key_arn(key, Place(queue.region, queue.account))
