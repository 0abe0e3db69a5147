"""One permission that a pipeline will be asked for, and the ARNs that such permissions are about.

It judges nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeVar

from passrole import arns
from passrole.arns import Account, Name, Region, Unfit
from passrole.policy.request import Values

P = TypeVar("P", Account, Name, Region)

Moment = Literal["start", "progress", "stop", "deploy", "if tagged"]

SAGEMAKER: Final = "sagemaker.amazonaws.com"
PASSED_TO: Final = "iam:PassedToService"
# What stands for a value that only a running execution knows.
ANY: Final = "*"


class Place(NamedTuple):
    """Where things are whose ARN the definition does not spell out."""

    region: Region
    account: Account


@dataclass(frozen=True, slots=True)
class Need:
    """A request that will be made.

    `step` is None for what concerns the whole pipeline. `when`: as the step starts, while it is followed, as
    the execution is stopped, as the pipeline is deployed or started, or only if tags are given. `is_pattern`
    where part of the resource is known only at run time and stands as `*`. `why` is for people. `associated`
    is the ARN of what a role that is handed on will serve, where that is known.
    """

    step: str | None
    action: str
    resource: str
    why: str
    context: Mapping[str, Values] = field(default_factory=dict, hash=False)
    when: Moment = "start"
    is_pattern: bool = False
    associated: str | None = None


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
    """A function given by ARN or by name."""
    if text.startswith("arn:"):
        return text
    owner, _, rest = text.rpartition("function:")
    name, colon, qualifier = rest.partition(":")
    account = _fitting(Account, owner.rstrip(":"), place.account)
    return f"{arns.function(place.region, account, _name(name))}{colon}{qualifier}"


def role_arn(text: str, place: Place) -> str:
    """A role given by ARN or by name; of an instance profile, the role that has its name."""
    found = arns.parse(text)
    if found is None:
        return arns.iam(place.account, "role", "/", _name(text))
    return str(found._replace(resource=found.resource.replace("instance-profile/", "role/", 1)))


def queue_arn(url: str, place: Place) -> str:
    """The queue behind `https://sqs.<region>.amazonaws.com/<account>/<name>`, on whichever host."""
    host, _, path = url.partition("://")[2].partition("/")
    account, _, name = path.rstrip("/").rpartition("/")
    labels = host.split(".")
    named = labels[1] if labels[0] == "sqs" and len(labels) > 2 else ""
    region = _fitting(Region, named, place.region)
    return arns.queue(region, _fitting(Account, account.rpartition("/")[2], place.account), _name(name))


def _name(text: str) -> str:
    """The name; of text that cannot be one, ANY, as of what only a running execution knows."""
    return _fitting(Name, text, Name(ANY))


def _fitting(kind: Callable[[str], P], text: str, otherwise: P) -> P:
    try:
        return kind(text)
    except Unfit:
        return otherwise
