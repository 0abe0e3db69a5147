"""Deletes events that are past their group's retention, or past the age that a setting gives to all groups;
worker/housekeeping.py calls it.

PutLogEvents deletes what it finds expired; this is for groups to which nobody writes. A transaction deletes
some of them. Killed between two: the next sweep deletes the others.
"""

from functools import partial

from passrole.services.logs import rows
from passrole.services.logs.records import DAY, GROUPS
from passrole.store import Store, Tx


async def sweep(store: Store, now: float, days: int) -> int:
    """Delete expired events of all groups; how many there were. `days` is the age for all, 0 for none."""
    now_ms, deleted = int(now * 1000), 0
    groups = await store.read(GROUPS.all)
    for key, _ in groups:
        while found := await store.write(partial(_delete_some, group=key, now=now_ms, days=days)):
            deleted += found
            if found < rows.EXPIRED_MAX:
                break
    return deleted


def _delete_some(tx: Tx, group: str, now: int, days: int) -> int:
    found = GROUPS.get(tx, group)
    if found is None:
        return 0
    kept_since = max(found.kept_since(now), now - days * DAY if days else 0)
    return rows.delete_expired(tx, group, kept_since) if kept_since else 0
