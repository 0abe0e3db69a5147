"""One permission that a pipeline will be asked for, and the ARNs of what a definition names.

It judges nothing. Region, account and partition are those that a name spells out, else those of the place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from passrole import arns
from passrole.policy.request import Values

Moment = Literal["start", "progress", "stop", "deploy", "if tagged"]

SAGEMAKER: Final = "sagemaker.amazonaws.com"
PASSED_TO: Final = "iam:PassedToService"
# What stands for a value that only a running execution knows.
ANY: Final = "*"

_LEGACY_REGION: Final = "us-east-1"  # of https://queue.amazonaws.com, which names none
_SQS_LABELS: Final = ("sqs", "sqs-fips")


class Place(NamedTuple):
    """Where things are whose ARN the definition does not spell out; in whichever partition, or unknown (`*`).

    It names what is asked about, and is never a part of a key or a path.
    """

    region: str
    account: str

    @property
    def partition(self) -> str:
        """`aws`, or that of China, of the US government, ..."""
        return arns.partition_of(self.region)

    def arn(self, service: str, resource: str) -> str:
        """A resource here."""
        return str(arns.Arn(self.partition, service, self.region, self.account, resource))


@dataclass(frozen=True, slots=True)
class Need:
    """A request that will be made.

    `step` is None for what concerns the whole pipeline. `when`: as the step starts, while it is followed, as
    the execution is stopped, as the pipeline is deployed or started, or only if tags are given. `is_pattern`
    where part of the resource is known only at run time and stands as `*`; `shape` is then a closer pattern,
    if what stands for the `*` has a known form. `why` is for people. `context` are the keys that are special
    to the request; a value of `*` is known only at run time. `optional` says why a run can do without the
    permission; None where it cannot. `role` is the job's own role, where it and not the pipeline's is asked.
    `associated` is the ARN of what a role that is handed on will serve, where that is known.
    """

    step: str | None
    action: str
    resource: str
    why: str
    context: Mapping[str, Values] = field(default_factory=dict, hash=False)
    when: Moment = "start"
    is_pattern: bool = False
    associated: str | None = None
    optional: str | None = None
    role: str | None = None
    shape: str | None = None

    @property
    def is_required(self) -> bool:
        """Whether something goes wrong without it."""
        return self.optional is None and self.when != "if tagged"


def pass_role(
    step: str | None,
    role_arn: str,
    service: str,
    member: str,
    *,
    deploy: bool = False,
    associated: str | None = None,
) -> Need:
    """The right to hand a role on; `member` is where the definition names it."""
    return Need(
        step=step,
        action="iam:PassRole",
        resource=role_arn,
        why=f"{member} is handed to {service}",
        context={PASSED_TO: service},
        when="deploy" if deploy else "start",
        is_pattern=ANY in role_arn,
        associated=associated,
    )


def function_arn(text: str, place: Place) -> str:
    """A function in any form that Lambda takes: an ARN, a name, either with an account or a qualifier."""
    found = None if text.startswith("arn:") else arns.function_name(text)
    if found is None:
        return text if text.startswith("arn:") else place.arn("lambda", f"function:{ANY}")
    region, account = found.region or place.region, found.account or place.account
    qualifier = f":{found.qualifier}" if found.qualifier is not None else ""
    return Place(region, account).arn("lambda", f"function:{_name(found.name)}{qualifier}")


def role_arn(text: str, place: Place) -> str:
    """A role given by ARN or by name; of an instance profile, the role that has its name."""
    found = arns.parse(text)
    if found is None:
        return str(arns.Arn(place.partition, "iam", "", place.account, f"role/{_name(text)}"))
    return str(found._replace(resource=found.resource.replace("instance-profile/", "role/", 1)))


def queue_arn(url: str, place: Place) -> str:
    """The queue behind a QueueUrl on whichever host, or behind a bare name.

    https://docs.aws.amazon.com/general/latest/gr/sqs-service.html has today's and the legacy hosts; a VPC
    endpoint's are https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html.
    """
    _, has_host, rest = url.partition("://")
    host, _, path = rest.partition("/") if has_host else ("", "", url)
    account, _, name = path.rstrip("/").rpartition("/")
    account = account.rpartition("/")[2]
    region = _region_of_host(host) or place.region
    own = place.account if account in ("", ANY) or ":" in account else account
    return Place(region, own).arn("sqs", _name(name))


def key_arn(text: str, place: Place) -> str:
    """A KMS key by id, ARN or alias; which key an alias stands for only KMS knows."""
    found = arns.parse(text)
    resource = found.resource if found else text if text.startswith("alias/") else f"key/{text}"
    if resource.startswith("alias/"):
        resource = f"key/{ANY}"
    return str(found._replace(resource=resource)) if found else place.arn("kms", resource)


def object_arn(uri: str, place: Place) -> str | None:
    """What is at `s3://bucket/key`, or everything below a prefix; None of what is no such URI."""
    found = bucket_and_key(uri)
    return None if found is None else f"arn:{place.partition}:s3:::{found[0]}/{found[1]}"


def bucket_and_key(uri: str) -> tuple[str, str] | None:
    """The parts of `s3://bucket/key`; of a value that only an execution knows, any bucket and key."""
    if uri == ANY:
        return ANY, ANY
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    return (bucket, key) if scheme in ("s3", "s3a", "s3n") and bucket else None


def repository_arn(image: str, place: Place) -> str | None:
    """The repository of `account.dkr.ecr.region.amazonaws.com/name:tag`; None of what is not in ECR."""
    if image == ANY:
        return place.arn("ecr", f"repository/{ANY}")
    host, _, path = image.partition("/")
    labels = host.split(".")
    if labels[1:2] != ["dkr"] or labels[2:3] not in (["ecr"], ["ecr-fips"]) or len(labels) < 4:
        return None
    name = path.partition("@")[0].partition(":")[0]
    return Place(labels[3], labels[0]).arn("ecr", f"repository/{name}")


def _name(text: str) -> str:
    """The name; of text that cannot be one, ANY, as of what only a running execution knows."""
    try:
        return arns.Name(text)
    except arns.InvalidPart:
        return ANY


def _region_of_host(host: str) -> str | None:
    """`sqs.R.amazonaws.com`, `sqs-fips.R...`, `vpce-1.sqs.R.vpce...`, `R.queue.amazonaws.com`."""
    labels = host.partition(":")[0].split(".")
    for before, label, after in _triples(labels):
        if label in _SQS_LABELS and arns.is_region(after):
            return after
        if label == "queue" and after == "amazonaws":
            return before if arns.is_region(before) else _LEGACY_REGION
    return None


def _triples(labels: list[str]) -> Iterator[tuple[str, str, str]]:
    return zip(["", *labels], labels, [*labels[1:], ""], strict=False)
