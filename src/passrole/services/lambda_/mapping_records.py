"""Event source mappings as they are stored, and EventSourceMappingConfiguration."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from passrole import arns
from passrole.arns import Account, Region, resource_key
from passrole.services.context import Context
from passrole.services.lambda_ import refusals
from passrole.store import Collection, Tx

CHANNEL = "event-source-mappings"
NOTHING_YET = "No records processed"


@dataclass(frozen=True)
class EventSourceMapping:
    """A queue, the function that gets its messages, and how many at once.

    `function` is the function's name, `qualifier` its version or alias; `window_seconds` is how long a
    batch may be gathered; `partial` says that the function answers which messages failed; `at_once_max`
    limits concurrent batches; `filters` are patterns of which a message must match one, if there are any.
    """

    uuid: str
    account: Account
    region: Region
    queue_arn: str
    function: str
    batch_size: int
    window_seconds: int
    enabled: bool
    partial: bool
    modified: float
    at_once_max: int | None = None
    qualifier: str | None = None
    filters: Sequence[str] = ()

    @property
    def key(self) -> str:
        """Its key in the store."""
        return resource_key(self.account, self.region, self.uuid)

    @property
    def arn(self) -> str:
        """The mapping's own."""
        return arns.event_source_mapping(self.region, self.account, self.uuid)

    @property
    def function_key(self) -> str:
        """The key of the function, whatever the qualifier."""
        return resource_key(self.account, self.region, self.function)

    @property
    def function_arn(self) -> str:
        """The function's, with the qualifier."""
        arn = arns.function(self.region, self.account, self.function)
        return f"{arn}:{self.qualifier}" if self.qualifier else arn


@dataclass(frozen=True)
class Result:
    """The result of the last batch, in AWS's words: `OK`, or `PROBLEM: ...`."""

    text: str


MAPPINGS = Collection("event-source-mapping", EventSourceMapping)
RESULTS = Collection("event-source-result", Result)


def existing(tx: Tx, ctx: Context, uuid: str) -> EventSourceMapping:
    """The mapping of the caller's region. Raises ResourceNotFoundException."""
    return MAPPINGS.require(tx, ctx.key(uuid), refusals.nothing_there)


def configuration(tx: Tx, mapping: EventSourceMapping, state: str | None = None) -> dict[str, Any]:
    """An EventSourceMappingConfiguration; `state` while it is being created, updated or deleted."""
    result = RESULTS.get(tx, mapping.key)
    shown: dict[str, Any] = {
        "UUID": mapping.uuid,
        "EventSourceMappingArn": mapping.arn,
        "EventSourceArn": mapping.queue_arn,
        "FunctionArn": mapping.function_arn,
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": mapping.window_seconds,
        "FunctionResponseTypes": ["ReportBatchItemFailures"] if mapping.partial else [],
        "LastModified": mapping.modified,
        "LastProcessingResult": result.text if result else NOTHING_YET,
        "State": state or ("Enabled" if mapping.enabled else "Disabled"),
        "StateTransitionReason": "USER_INITIATED",
    }
    if mapping.at_once_max is not None:
        shown["ScalingConfig"] = {"MaximumConcurrency": mapping.at_once_max}
    if mapping.filters:
        shown["FilterCriteria"] = {"Filters": [{"Pattern": pattern} for pattern in mapping.filters]}
    return shown
