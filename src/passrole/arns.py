"""ARNs, built and parsed in one place.

Their parts are types with a checking constructor: text from outside becomes a part of an ARN, of a store key
or of a path only through it. Otherwise a region `x:111122223333:sagemaker` would move the authorised resource
to another service, and `..` a folder one level up.
"""

import re
from functools import lru_cache
from typing import NamedTuple, Self

PARTITION = "aws"
NAME_CHARACTERS_MAX = 2_048

# The form of every region's code so far (`us-east-1`, `ap-southeast-4`, `mx-central-1`); a new region fits it
# too, so that no list has to be kept.
_REGION = re.compile(r"[a-z]{2}(-[a-z]{2,16}){1,3}-[1-9][0-9]?", re.ASCII)
# Regions of other partitions (China, GovCloud, the isolated ones, the sovereign cloud): botocore's
# partitions.json has their patterns. An account of one partition has no credentials in another.
# https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
_OTHER_PARTITIONS = re.compile(r"(cn|us-gov|[a-z]{2}-iso[a-z]?|eusc)-", re.ASCII)
_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
# Anything but control characters and the colon that separates the parts of an ARN.
_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff:]+")


class InvalidPart(ValueError):
    """Text that is not valid as this part of an ARN; the message says why."""


class Region(str):
    """The code of a region of our partition."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raises InvalidPart."""
        if not _fits(_REGION, text) or _OTHER_PARTITIONS.match(text):
            raise InvalidPart(f"`{text}` is not the code of a region, such as us-east-1")
        return super().__new__(cls, text)


class Account(str):
    """An account id: twelve digits."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raises InvalidPart."""
        if not _fits(_ACCOUNT, text):
            raise InvalidPart(f"`{text}` is not an account id of 12 digits")
        return super().__new__(cls, text)


class Name(str):
    """The name of a resource in its ARN; each service has narrower rules."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raises InvalidPart."""
        if not _fits(_NAME, text) or len(text) > NAME_CHARACTERS_MAX:
            raise InvalidPart(f"`{text}` cannot be the name of a resource")
        return super().__new__(cls, text)


def _fits(pattern: re.Pattern[str], text: object) -> bool:
    """`text` may be null or a number of JSON from outside."""
    return isinstance(text, str) and pattern.fullmatch(text) is not None


PIPELINE_EVENTS = "pipeline-execution-event"
"""The resource in the ARN of the target of SageMaker's rules for EMR steps; users cannot create one."""

# https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}


_FIRST_REGIONS = {
    "aws": "us-east-1",
    "aws-cn": "cn-north-1",
    "aws-us-gov": "us-gov-west-1",
    "aws-iso": "us-iso-east-1",
    "aws-iso-b": "us-isob-east-1",
    "aws-iso-e": "eu-isoe-west-1",
    "aws-iso-f": "us-isof-south-1",
    "aws-eusc": "eusc-de-east-1",
}


_EXECUTION = "/execution/"


class Location(NamedTuple):
    """Where a regional resource is; most are unique by name in an account and region."""

    account: Account
    region: Region

    def key(self, name: str) -> str:
        """The key of the resource of that name in a Collection."""
        return resource_key(self.account, self.region, name)


def resource_key(account: str, region: str, name: str) -> str:
    """The key of a regional resource in a Collection; see `Location`."""
    return f"{account}/{region}/{name}"


class Arn(NamedTuple):
    """The six parts of `arn:partition:service:region:account:resource`."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return ":".join(("arn", *self))

    @property
    def key(self) -> str:
        """The key in a Collection where the resource is a name alone; see `Location`."""
        return resource_key(self.account, self.region, self.resource)


class ExecutionArn(str):
    """The ARN of an execution of a pipeline."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Raises InvalidPart."""
        if text.count(":") != 5 or _EXECUTION not in text:
            raise InvalidPart(f"`{text}` is not the ARN of an execution")
        return super().__new__(cls, text)

    @property
    def region(self) -> str:
        """Where it runs."""
        return self.split(":")[3]

    @property
    def account(self) -> str:
        """Whose it is."""
        return self.split(":")[4]

    @property
    def pipeline(self) -> str:
        """The ARN of its pipeline."""
        return self.partition(_EXECUTION)[0]

    @property
    def execution_id(self) -> str:
        """The last part, which is unique in the pipeline."""
        return self.rpartition("/")[2]


def parse(text: str) -> Arn | None:
    """The parts of an ARN, or None if `text` is not one."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return None
    return Arn(*parts[1:])


class FunctionName(NamedTuple):
    """A function as a request names it; parts that the request leaves out are None."""

    region: str | None
    account: str | None
    name: str
    qualifier: str | None


@lru_cache(maxsize=1024)
def function_name(text: str) -> FunctionName | None:
    """The parts of a function's name or ARN as Lambda accepts them, or None if there are too many.

    A name, `ACCOUNT:name`, `ACCOUNT:function:name`, `REGION:ACCOUNT:function:name` or an ARN, each also with
    `:qualifier`. https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html#API_GetFunction_RequestSyntax
    """
    region = account = None
    rest = text.split(":")
    if rest[0] == "arn" and rest[2:3] == ["lambda"] and len(rest) > 5:
        region, account, rest = rest[3], rest[4], rest[5:]
    else:
        if len(rest) > 1 and is_region(rest[0]):
            region, rest = rest[0], rest[1:]
        if len(rest) > 1 and (rest[1] == "function" or _is_account(rest[0])):
            account, rest = rest[0], rest[1:]
    if len(rest) > 1 and rest[0] == "function":
        rest = rest[1:]
    if len(rest) > 2:
        return None
    return FunctionName(region, account, rest[0], rest[1] if len(rest) == 2 else None)


def partition_of(region: str) -> str:
    """The partition of a region; `aws` if the region is unknown."""
    return next((name for prefix, name in _PARTITIONS.items() if region.startswith(prefix)), PARTITION)


def first_region(partition: str) -> str | None:
    """The oldest region of a partition, as a default; None for an unknown partition."""
    return _FIRST_REGIONS.get(partition)


def is_region(text: str) -> bool:
    """Whether the text has the form of a region's code, such as `us-gov-west-1`."""
    *words, number = text.split("-")
    return len(words) > 1 and all(map(str.isalpha, words)) and number.isdecimal()


def _is_account(text: str) -> bool:
    return _fits(_ACCOUNT, text)


def pipeline(region: Region, account: Account, name: str) -> str:
    """A pipeline; SageMaker keeps the letter case of its name in the ARN."""
    return pipeline_prefix(region, account) + _part(name)


def pipeline_prefix(region: Region, account: Account) -> str:
    """The common prefix of the ARNs of all pipelines of a location, and of their executions."""
    return _joined("sagemaker", region, account, "pipeline/")


def execution(region: Region, account: Account, pipeline_name: str, execution_id: str) -> str:
    """One execution of a pipeline."""
    return f"{pipeline(region, account, pipeline_name)}/execution/{_part(execution_id)}"


def notebook_instance(region: Region, account: Account, name: str) -> str:
    """A notebook instance of SageMaker."""
    return _joined("sagemaker", region, account, f"notebook-instance/{_part(name)}")


def sagemaker_job(region: Region, account: Account, kind: str, name: str) -> str:
    """A job of SageMaker, such as a `training-job`; the letter case of its name is kept, as on AWS today."""
    return _joined("sagemaker", region, account, f"{kind}/{_part(name)}")


def model(region: Region, account: Account, name: str) -> str:
    """A model of SageMaker."""
    return _joined("sagemaker", region, account, f"model/{_part(name)}")


def project(region: Region, account: Account, name: str) -> str:
    """A project of SageMaker."""
    return _joined("sagemaker", region, account, f"project/{_part(name)}")


def lineage_entity(region: Region, account: Account, kind: str, id_: str) -> str:
    """An action, an artifact or a context of SageMaker; `*` stands for any."""
    return _joined("sagemaker", region, account, f"{kind}/{_part(id_)}")


def model_package_group(region: Region, account: Account, name: str) -> str:
    """A group of SageMaker's model registry."""
    return _joined("sagemaker", region, account, f"model-package-group/{_part(name)}")


def model_package(region: Region, account: Account, name: str) -> str:
    """A model package by its name, or as `group/version`; the letter case is kept."""
    return _joined("sagemaker", region, account, f"model-package/{_part(name)}")


def endpoint_config(region: Region, account: Account, name: str) -> str:
    """A configuration of endpoints of SageMaker."""
    return _joined("sagemaker", region, account, f"endpoint-config/{_part(name)}")


def endpoint(region: Region, account: Account, name: str) -> str:
    """An endpoint of SageMaker."""
    return _joined("sagemaker", region, account, f"endpoint/{_part(name)}")


def ecr_repository(region: Region, account: Account, name: str) -> str:
    """A repository of ECR, whose name may have slashes; `*` stands for any."""
    return _joined("ecr", region, account, f"repository/{_part(name)}")


def function(region: Region, account: Account, name: str) -> str:
    """A Lambda function, unqualified."""
    return _joined("lambda", region, account, f"function:{_part(name)}")


def layer(region: Region, account: Account, name: str) -> str:
    """A Lambda layer; its versions have the number after a colon."""
    return _joined("lambda", region, account, f"layer:{_part(name)}")


def kms_key(region: Region, account: Account, key_id: str) -> str:
    """A key of KMS."""
    return _joined("kms", region, account, f"key/{_part(key_id)}")


def kms_alias(region: Region, account: Account, name: str) -> str:
    """An alias of a key of KMS, by its name without `alias/`."""
    return _joined("kms", region, account, f"alias/{_part(name)}")


def lambda_runtime(region: Region, digest: str) -> str:
    """A version of a Lambda runtime; it belongs to AWS and has no account."""
    return _joined("lambda", region, "", f"runtime:{_part(digest)}")


def event_source_mapping(region: Region, account: Account, uuid: str) -> str:
    """A mapping from an event source (an SQS queue) to a function."""
    return _joined("lambda", region, account, f"event-source-mapping:{_part(uuid)}")


def log_group(region: Region, account: Account, name: str) -> str:
    """A log group of CloudWatch Logs."""
    return _joined("logs", region, account, f"log-group:{_part(name)}")


def queue(region: Region, account: Account, name: str) -> str:
    """An SQS queue."""
    return _joined("sqs", region, account, _part(name))


def cluster(region: Region, account: Account, cluster_id: str) -> str:
    """An EMR cluster."""
    return _joined("elasticmapreduce", region, account, f"cluster/{_part(cluster_id)}")


def serverless_application(region: Region, account: Account, application_id: str) -> str:
    """An application of EMR Serverless."""
    return _joined("emr-serverless", region, account, f"/applications/{_part(application_id)}")


def serverless_job_run(region: Region, account: Account, application_id: str, job_run_id: str) -> str:
    """A job run of an application of EMR Serverless."""
    return f"{serverless_application(region, account, application_id)}/jobruns/{_part(job_run_id)}"


def all_of_serverless(region: Region, account: Account) -> str:
    """What is authorised where no application is meant: to create one, or to list them.

    https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/security-iam-user-access-policies.html
    """
    return _joined("emr-serverless", region, account, "/*")


def instance(region: Region, account: Account, instance_id: str) -> str:
    """An EC2 instance."""
    return _joined("ec2", region, account, f"instance/{_part(instance_id)}")


def rule(region: Region, account: Account, name: str, bus: str = "default") -> str:
    """An EventBridge rule; the ARN names the bus unless it is the default one."""
    path = name if bus == "default" else f"{bus}/{name}"
    return _joined("events", region, account, f"rule/{_part(path)}")


def schedule_group(region: Region, account: Account, name: str) -> str:
    """A group of EventBridge Scheduler's schedules."""
    return _joined("scheduler", region, account, f"schedule-group/{_part(name)}")


def schedule(region: Region, account: Account, group: str, name: str) -> str:
    """A schedule of EventBridge Scheduler; its ARN names its group."""
    return _joined("scheduler", region, account, f"schedule/{_part(group)}/{_part(name)}")


def event_bus(region: Region, account: Account, name: str) -> str:
    """An event bus of EventBridge."""
    return _joined("events", region, account, f"event-bus/{_part(name)}")


def iam(account: Account, kind: str, path: str, name: str) -> str:
    """A role, user, policy or instance profile; `path` begins and ends with a slash."""
    return _joined("iam", "", account, f"{kind}{path}{_part(name)}")


def assumed_role(account: Account, role_name: str, session_name: str) -> str:
    """A session of a role, as GetCallerIdentity and denials print it (without the role's path)."""
    return _joined("sts", "", account, f"assumed-role/{_part(role_name)}/{_part(session_name)}")


def _part(text: str) -> str:
    """The text if it is valid as a Name; common names skip the pattern. Raises InvalidPart."""
    usual = isinstance(text, str) and text.isascii() and text.isprintable() and ":" not in text
    return text if usual and 0 < len(text) <= NAME_CHARACTERS_MAX else Name(text)


def _joined(service: str, region: str, account: str, resource: str) -> str:
    return ":".join(("arn", PARTITION, service, region, account, resource))
