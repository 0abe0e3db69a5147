"""Event invoke configurations as they are stored: retries, age and destinations of async invocations."""

from dataclasses import dataclass
from typing import Any

from passrole import arns
from passrole.arns import Account, Region
from passrole.services.lambda_.names import LATEST
from passrole.services.lambda_.qualifiers import version_key
from passrole.store import Collection, Tx

RETRIES_DEFAULT = 2
AGE_SECONDS_DEFAULT = 21_600


@dataclass(frozen=True)
class EventConfig:
    """`retries` and `age_seconds` are None where they were not given; the destinations are ARNs."""

    account: Account
    region: Region
    function: str
    qualifier: str
    modified: float
    retries: int | None = None
    age_seconds: int | None = None
    on_success: str | None = None
    on_failure: str | None = None

    @property
    def arn(self) -> str:
        """The function's, always qualified."""
        return f"{arns.function(self.region, self.account, self.function)}:{self.qualifier}"

    @property
    def retries_max(self) -> int:
        """How often an event is tried again."""
        return RETRIES_DEFAULT if self.retries is None else self.retries

    @property
    def age_seconds_max(self) -> int:
        """How old an event may become."""
        return AGE_SECONDS_DEFAULT if self.age_seconds is None else self.age_seconds


CONFIGS = Collection("function-event-config", EventConfig, separator=":")
"""Under the place of the version or alias; of the function itself, under that of $LATEST."""


def config_of(tx: Tx, key: str, qualifier: str | None) -> EventConfig | None:
    """What was configured for the function under `key`, called with this qualifier."""
    return CONFIGS.get(tx, version_key(key, qualifier or LATEST))


def shown(config: EventConfig) -> dict[str, Any]:
    """A FunctionEventInvokeConfig."""
    answer: dict[str, Any] = {
        "LastModified": config.modified,
        "FunctionArn": config.arn,
        "DestinationConfig": {
            "OnSuccess": {"Destination": config.on_success} if config.on_success else {},
            "OnFailure": {"Destination": config.on_failure} if config.on_failure else {},
        },
    }
    if config.retries is not None:
        answer["MaximumRetryAttempts"] = config.retries
    if config.age_seconds is not None:
        answer["MaximumEventAgeInSeconds"] = config.age_seconds
    return answer
