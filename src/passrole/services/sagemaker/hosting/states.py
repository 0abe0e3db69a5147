"""How an endpoint changes: pure transitions from one record to the next, and the rows and events they write.

    Creating ──> InService ⇄ Updating        every one but those that are in progress: ──> Deleting ──> gone
        └──> Failed

An update that fails leaves the endpoint InService with the fleet that it had, and with a FailureReason. Each
transition that the worker asks for names the fleet that it is about, so that one which comes late changes
nothing.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from passrole.members import without_none
from passrole.services.sagemaker import state_events
from passrole.services.sagemaker.hosting.records import (
    DELETING,
    ENDPOINTS,
    FAILED,
    IN_SERVICE,
    UPDATING,
    Endpoint,
    Fleet,
    Variant,
    hosted_of,
    variant_summaries,
)
from passrole.store import Tx

CHANNEL = "sagemaker-endpoints"
"""Tells the worker of endpoints that were changed, by their keys."""

CHANGES = "sagemaker-endpoint-changes"
"""Tells those who wait of endpoints that are in progress no more, by their ARNs."""

EVENT = "SageMaker Endpoint State Change"
_REASON_CHARACTERS_MAX = 1024


def created(tx: Tx, endpoint: Endpoint) -> bool:
    """Store a new endpoint. False if one of that name exists."""
    if not ENDPOINTS.add(tx, endpoint.key, endpoint):
        return False
    _tell(tx, endpoint)
    return True


def updating(tx: Tx, endpoint: Endpoint, coming: Fleet, deployment: Mapping[str, Any] | None) -> None:
    """Another fleet is to serve."""
    changed = replace(
        endpoint,
        status=UPDATING,
        coming=coming,
        fleets=coming["number"],
        failure_reason=None,
        deployment=deployment,
    )
    _put(tx, changed, coming["began"])


def scaling(tx: Tx, endpoint: Endpoint, variants: Sequence[Variant], at: float) -> None:
    """The fleet that serves gets other weights or counts."""
    assert endpoint.fleet is not None
    fleet: Fleet = {**endpoint.fleet, "variants": variants}
    _put(tx, replace(endpoint, status=UPDATING, fleet=fleet, failure_reason=None), at)


def deleting(tx: Tx, endpoint: Endpoint, at: float) -> None:
    """Its servers are to end."""
    _put(tx, replace(endpoint, status=DELETING), at)


def gone(tx: Tx, key: str) -> None:
    """Its servers have ended, and its files are removed."""
    endpoint = ENDPOINTS.get(tx, key)
    if endpoint is not None and endpoint.status == DELETING:
        ENDPOINTS.delete(tx, key)
        tx.notify(CHANGES, endpoint.arn)


def arrived(tx: Tx, key: str, number: int, at: float) -> None:
    """All servers of the fleet answer: it serves from now on, with what was wanted of it."""
    endpoint = ENDPOINTS.get(tx, key)
    fleet = None if endpoint is None else _changing(endpoint, number)
    if endpoint is None or fleet is None:
        return
    ready: Fleet = {**fleet, "variants": [_as_wanted(each) for each in fleet["variants"]]}
    _put(tx, replace(endpoint, status=IN_SERVICE, fleet=ready, coming=None), at)


def failed(tx: Tx, key: str, number: int, reason: str, at: float) -> None:
    """The fleet does not come up: what served before goes on as it was."""
    endpoint = ENDPOINTS.get(tx, key)
    if endpoint is None or _changing(endpoint, number) is None:
        return
    told = replace(endpoint, failure_reason=reason[:_REASON_CHARACTERS_MAX])
    if endpoint.fleet is None:
        _put(tx, replace(told, status=FAILED), at)
        return
    kept: Fleet = {**endpoint.fleet, "variants": [_as_it_is(each) for each in endpoint.fleet["variants"]]}
    _put(tx, replace(told, status=IN_SERVICE, fleet=kept, coming=None), at)


def entrusted(tx: Tx, key: str, container: str, token_hash: str) -> None:
    """Store the hash of a container's token, in place of the one it had; those of other fleets go."""
    endpoint = ENDPOINTS.get(tx, key)
    if endpoint is not None:
        fleets = [fleet for fleet in (endpoint.fleet, endpoint.coming) if fleet is not None]
        known = {each.id for fleet in fleets for each in hosted_of(endpoint, fleet)}
        kept = {name: one for name, one in endpoint.tokens.items() if name.rpartition("-")[0] in known}
        ENDPOINTS.put(tx, key, replace(endpoint, tokens={**kept, container: token_hash}))


def _changing(endpoint: Endpoint, number: int) -> Fleet | None:
    """The fleet of that number, if the endpoint waits for it."""
    awaited = endpoint.coming or (endpoint.fleet if endpoint.status == UPDATING else None)
    if endpoint.status in (DELETING, FAILED) or awaited is None or awaited["number"] != number:
        return None
    return awaited


def _as_wanted(variant: Variant) -> Variant:
    return {**variant, "weight": variant["weight_wanted"], "count": variant["count_wanted"]}


def _as_it_is(variant: Variant) -> Variant:
    return {**variant, "weight_wanted": variant["weight"], "count_wanted": variant["count"]}


def _put(tx: Tx, endpoint: Endpoint, at: float) -> None:
    changed = replace(endpoint, modified=at)
    ENDPOINTS.put(tx, changed.key, changed)
    _tell(tx, changed)


def _tell(tx: Tx, endpoint: Endpoint) -> None:
    tx.notify(CHANNEL, endpoint.key)
    if endpoint.status in (IN_SERVICE, FAILED):
        tx.notify(CHANGES, endpoint.arn)
    detail = _in_events(endpoint)
    time = state_events.as_number
    state_events.emit(tx, endpoint.place, endpoint.modified, EVENT, endpoint.arn, detail, time)


def _in_events(endpoint: Endpoint) -> dict[str, Any]:
    """As AWS's example has it: the status in another spelling, variants also before they serve, and times as
    numbers.
    """
    present = endpoint.present
    assert present is not None
    status = {IN_SERVICE: "IN_SERVICE"}.get(endpoint.status, endpoint.status.upper())
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointConfigName": present["config"],
        "ProductionVariants": variant_summaries(present),
        "EndpointStatus": status,
        **without_none(FailureReason=endpoint.failure_reason),
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
        "Tags": endpoint.tags,
    }
