"""The audit trail for people: which calls were denied, and why."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from passrole.audit import reader
from passrole.audit.entry import Entry
from passrole.audit.explanation import explanations
from passrole.audit.wanted import Wanted
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.store import Tx

T = TypeVar("T")

DENIALS_MAX = 200


@operation("cloudtrail:LookupEvents")
async def list_denials(ctx: Context) -> dict[str, Any]:
    """The last calls that were denied, newest first: who, what, the verdict of each layer, and a remedy.

    On AWS the trail of an account is CloudTrail's, so its permission is asked.
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
    """
    found = await asyncio.to_thread(_denied, ctx, asyncio.get_running_loop())
    return {"Denials": [asdict(each) for entry in found for each in explanations(entry) if not each.allowed]}


def _denied(ctx: Context, loop: asyncio.AbstractEventLoop) -> list[Entry]:
    """Newest first. It reads files, and so has a thread of its own."""

    def look(fn: Callable[[Tx], T]) -> T:
        return asyncio.run_coroutine_threadsafe(ctx.store.read(fn), loop).result()

    wanted = Wanted(is_denied=True, last=DENIALS_MAX)
    try:
        return list(reversed(list(reader.entries(ctx.config.data, wanted, look))))
    except reader.NoTrail:
        return []
