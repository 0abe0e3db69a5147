"""One permission that a pipeline needs, and the ARNs of resources that a definition names.

Region, account and partition are those in the name, else those of the Place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from passrole import arns
from passrole.policy.request import Values

Phase = Literal["start", "progress", "stop", "deploy", "if tagged"]

SAGEMAKER: Final = "sagemaker.amazonaws.com"
PASSED_TO: Final = "iam:PassedToService"
# The placeholder for a value that is known only at run time.
ANY: Final = "*"

_LEGACY_REGION: Final = "us-east-1"  # of https://queue.amazonaws.com, which names none
_SQS_LABELS: Final = ("sqs", "sqs-fips")


class Place(NamedTuple):
    """The default region and account of resources without a full ARN; in any partition, or unknown (`*`).

    It is only for ARNs of predicted requests, never for a key or a path.
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
    """A request that the pipeline will make.

    `step` is None if it concerns the whole pipeline. `when`: when the step starts, while it is followed, when
    the execution is stopped, when the pipeline is deployed or started, or only with tags. `is_pattern`: a
    part of the resource is known only at run time and is `*`; `shape` is then a closer pattern, if that part
    has a known form. `why` is for people. `context` are the request's own condition keys; a value of `*` is
    known only at run time. `optional` says why a run works without the permission; None if it does not.
    `role` is the job's own role, if that and not the pipeline's role makes the request. `associated` is the
    ARN of the resource that will use a passed role, if it is known.
    """

    step: str | None
    action: str
    resource: str
    why: str
    context: Mapping[str, Values] = field(default_factory=dict, hash=False)
    when: Phase = "start"
    is_pattern: bool = False
    associated: str | None = None
    optional: str | None = None
    role: str | None = None
    shape: str | None = None

    @property
    def is_required(self) -> bool:
        """Whether the pipeline fails without it."""
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
    """The need to pass a role; `member` is where the definition names it."""
    return Need(
        step=step,
        action="iam:PassRole",
        resource=role_arn,
        why=f"{member} is passed to {service}",
        context={PASSED_TO: service},
        when="deploy" if deploy else "start",
        is_pattern=ANY in role_arn,
        associated=associated,
    )


def function_arn(text: str, place: Place) -> str:
    """A function in any form that Lambda accepts: an ARN or a name, with an account or a qualifier."""
    found = None if text.startswith("arn:") else arns.function_name(text)
    if found is None:
        return text if text.startswith("arn:") else place.arn("lambda", f"function:{ANY}")
    region, account = found.region or place.region, found.account or place.account
    qualifier = f":{found.qualifier}" if found.qualifier is not None else ""
    return Place(region, account).arn("lambda", f"function:{_name(found.name)}{qualifier}")


def role_arn(text: str, place: Place) -> str:
    """A role given by ARN or name; for an instance profile, the role of the same name."""
    found = arns.parse(text)
    if found is None:
        return str(arns.Arn(place.partition, "iam", "", place.account, f"role/{_name(text)}"))
    return str(found._replace(resource=found.resource.replace("instance-profile/", "role/", 1)))


def queue_arn(url: str, place: Place) -> str:
    """The queue of a QueueUrl on any host, or of a name.

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
    """A KMS key by id, ARN or alias; the key of an alias is unknown here."""
    found = arns.parse(text)
    resource = found.resource if found else text if text.startswith("alias/") else f"key/{text}"
    if resource.startswith("alias/"):
        resource = f"key/{ANY}"
    return str(found._replace(resource=resource)) if found else place.arn("kms", resource)


def object_arn(uri: str, place: Place) -> str | None:
    """The ARN of `s3://bucket/key`; None for any other URI."""
    found = bucket_and_key(uri)
    return None if found is None else f"arn:{place.partition}:s3:::{found[0]}/{found[1]}"


def bucket_and_key(uri: str) -> tuple[str, str] | None:
    """The parts of `s3://bucket/key`; `*` for both if the value is known only at run time."""
    if uri == ANY:
        return ANY, ANY
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    return (bucket, key) if scheme in ("s3", "s3a", "s3n") and bucket else None


def repository_arn(image: str, place: Place) -> str | None:
    """The repository of `account.dkr.ecr.region.amazonaws.com/name:tag`; None for images outside of ECR."""
    if image == ANY:
        return place.arn("ecr", f"repository/{ANY}")
    host, _, path = image.partition("/")
    labels = host.split(".")
    if labels[1:2] != ["dkr"] or labels[2:3] not in (["ecr"], ["ecr-fips"]) or len(labels) < 4:
        return None
    name = path.partition("@")[0].partition(":")[0]
    return Place(labels[3], labels[0]).arn("ecr", f"repository/{name}")


def _name(text: str) -> str:
    """The name; ANY if the text is not a valid name."""
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
