"""A deployed pipeline: at AWS, or at the endpoint of the user's AWS settings.

It judges nothing. Unlike every other command it calls with the user's credentials, region and endpoint; what
cannot be read with them leaves as Misuse, because exit code 1 is for what is missing.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError
from botocore.session import Session

from passrole import arns
from passrole.arns import Account, InvalidPart, Region
from passrole.cli.errors import Misuse, aws_message
from passrole.cli.permissions.attached_policies import DENIED, ClientOf
from passrole.cli.permissions.identity_policies import fetch_identity
from passrole.cli.permissions.subject import Subject, parse_definition
from passrole.client.connection import Client
from passrole.needs import Definition, Need, Place

_ENDED = frozenset({"TERMINATING", "TERMINATED", "TERMINATED_WITH_ERRORS"})
_NOT_THERE = frozenset(
    {
        "ResourceNotFoundException",  # Lambda
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "InvalidRequestException",  # EMR, for an unknown cluster
    }
)


@dataclass(frozen=True)
class Deployed:
    """A pipeline with its steps and its role; `label` is its ARN."""

    label: str
    name: str
    definition: Definition
    subject: Subject


class Endpoint:
    """Clients with the user's own settings."""

    def __init__(self) -> None:
        self._session = Session()
        # AWS's command line reads this variable, botocore does not.
        self._region = self._session.get_config_variable("region") or os.environ.get("AWS_REGION")

    def client(self, service: str, region: str | None = None) -> Client:
        """A client for a region, by default the user's. Raises what botocore raises."""
        return self._session.create_client(service, region_name=region or self._region)

    def pipeline(self, name: str, given: dict[str, str], version: str | None) -> Deployed:
        """The pipeline; `version` replaces the attached one of the managed policy. Raises Misuse."""
        with _aws_errors_reported():
            sagemaker = self.client("sagemaker")
            try:
                found = sagemaker.describe_pipeline(PipelineName=name)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFound":
                    raise
                raise Misuse(
                    f"there is no pipeline `{name}` at {sagemaker.meta.endpoint_url}; "
                    "`aws sagemaker list-pipelines` lists them"
                ) from error
            role = fetch_identity(self.client("iam"), "role", found["RoleArn"], version)
        place = _place(found["PipelineArn"])
        subject = Subject(role.principal, place, role.policies, version, self.client)
        definition = parse_definition(found["PipelineDefinition"], given, f"pipeline {name}")
        return Deployed(found["PipelineArn"], found["PipelineName"], definition, subject)

    def role(self, named: str, place: Place) -> Subject:
        """A role by name or ARN. Raises Misuse."""
        with _aws_errors_reported():
            found = fetch_identity(self.client("iam"), "role", named)
        return Subject(found.principal, place, found.policies, None, self.client)

    def missing(self, needs: Iterable[Need]) -> list[str]:
        """A message for each function, queue and cluster that is named in full and does not exist."""
        looked_at: dict[tuple[str, str], Need] = {}
        for need in needs:
            if need.action in _LOOKUPS and not need.is_pattern:
                looked_at.setdefault((need.action, need.resource), need)
        client_of = cache(self.client)
        return [message for need in looked_at.values() for message in _missing(need, client_of)]


def _missing(need: Need, client_of: ClientOf) -> Iterator[str]:
    found = arns.parse(need.resource)
    lookup = _LOOKUPS[need.action]
    if found is None or not found.resource:
        return
    try:
        problem = lookup.problem(client_of(lookup.service, found.region), found)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _NOT_THERE:
            problem = "is not there"
        elif code in DENIED:
            problem = "may not be looked at with these credentials, and may be missing"
        else:  # an unsupported operation says nothing about the resource
            return
    except BotoCoreError:
        return
    if problem:
        yield f"step `{need.step}`: the {lookup.noun} `{need.resource}` {problem}"


def _place(pipeline_arn: str) -> Place:
    """Region and account of the pipeline. Raises Misuse for other partitions, whose policies are unknown."""
    found = arns.parse(pipeline_arn)
    try:
        return Place(Region(found.region if found else ""), Account(found.account if found else ""))
    except InvalidPart as error:
        raise Misuse(f"`{pipeline_arn}` is not in a region of AWS's partition `{arns.PARTITION}`") from error


@dataclass(frozen=True)
class _Lookup:
    """How to check that a resource exists; `problem` raises ClientError if it does not."""

    service: str
    noun: str
    problem: Callable[[Client, arns.Arn], str | None]


def _function(client: Client, arn: arns.Arn) -> None:
    client.get_function(FunctionName=str(arn))


def _queue(client: Client, arn: arns.Arn) -> None:
    client.get_queue_url(QueueName=arn.resource, QueueOwnerAWSAccountId=arn.account)


def _cluster(client: Client, arn: arns.Arn) -> str | None:
    answer: Mapping[str, Any] = client.describe_cluster(ClusterId=arn.resource.rpartition("/")[2])
    state = answer["Cluster"]["Status"]["State"]
    return f"has ended ({state})" if state in _ENDED else None


_LOOKUPS: Final[Mapping[str, _Lookup]] = {
    "lambda:GetFunction": _Lookup("lambda", "function", _function),
    "sqs:SendMessage": _Lookup("sqs", "queue", _queue),
    "elasticmapreduce:AddJobFlowSteps": _Lookup("emr", "cluster", _cluster),
}


@contextmanager
def _aws_errors_reported() -> Iterator[None]:
    try:
        yield
    except NoCredentialsError as error:
        raise Misuse(
            "there are no AWS credentials; set a profile or keys as for the AWS CLI, or for a running "
            'server `eval "$(passrole env)"`'
        ) from error
    except NoRegionError as error:
        raise Misuse("there is no AWS region; set AWS_REGION") from error
    except ClientError as error:
        raise Misuse(aws_message(error)) from error
    except BotoCoreError as error:
        raise Misuse(f"the endpoint does not answer: {error}") from error
