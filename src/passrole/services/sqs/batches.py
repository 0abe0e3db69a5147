"""What the batch operations share: rules for entries, and the response with Successful and Failed."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from passrole.faults import Fault

ENTRIES_MAX = 10
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
E = TypeVar("E", bound=Mapping[str, Any])


def check_entries(entries: Sequence[Mapping[str, Any]], kind: str) -> None:
    """Check the number of entries and their ids.

    Raises EmptyBatchRequest, TooManyEntriesInBatchRequest, InvalidBatchEntryId, BatchEntryIdsNotDistinct.
    """
    if not entries:
        raise Fault("EmptyBatchRequest", f"There should be at least one {kind} in the request.")
    if len(entries) > ENTRIES_MAX:
        message = f"Maximum number of entries per request are {ENTRIES_MAX}. You have sent {len(entries)}."
        raise Fault("TooManyEntriesInBatchRequest", message)
    seen: set[str] = set()
    for entry in entries:
        _check_id(entry["Id"], seen)
        seen.add(entry["Id"])


def each(entries: Sequence[E], act: Callable[[E], dict[str, Any]]) -> dict[str, Any]:
    """Act on every entry; one whose act raises Fault is in Failed, and the others go on.

    An act raises before it writes, because one transaction holds them all.
    """
    successful: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **act(entry)})
        except Fault as fault:
            failed.append(
                {"Id": entry["Id"], "SenderFault": fault.sender, "Code": fault.code, "Message": fault.message}
            )
    return {name: entries for name, entries in (("Successful", successful), ("Failed", failed)) if entries}


def _check_id(id_: str, seen: set[str]) -> None:
    if not _ID.fullmatch(id_):
        message = (
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores."
            " It can be at most 80 letters long."
        )
        raise Fault("InvalidBatchEntryId", message)
    if id_ in seen:
        raise Fault("BatchEntryIdsNotDistinct", f"Id {id_} repeated.")
