"""Deletes rows of the audit trail by their age; worker/housekeeping.py calls it, where a setting asks for it.

A transaction deletes some of them. Killed between two: the next sweep deletes the others. A file's lines go
with their file (`Audit.forget`).
"""

from functools import partial

from passrole.audit import rows
from passrole.store import Store

AT_ONCE_MAX = 1_000


async def sweep(store: Store, before: float) -> int:
    """Delete the lines of calls before a moment; how many there were."""
    deleted = 0
    while found := await store.write(partial(rows.delete_before, moment=before, limit=AT_ONCE_MAX)):
        deleted += found
        if found < AT_ONCE_MAX:
            break
    return deleted
