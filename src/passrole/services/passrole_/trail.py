"""The audit trail for people: which calls were denied, and why."""

import asyncio
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import Any

from passrole.audit import reader
from passrole.audit.entry import Entry
from passrole.audit.explanation import explanations
from passrole.services.context import Context
from passrole.services.operation import operation

DENIALS_MAX = 200


@operation("cloudtrail:LookupEvents")
async def list_denials(ctx: Context) -> dict[str, Any]:
    """The last calls that were denied, newest first: who, what, the verdict of each layer, and a remedy.

    On AWS the trail of an account is CloudTrail's, so its permission is asked.
    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
    """
    found = await asyncio.to_thread(_denied, ctx.config.data)
    return {"Denials": [asdict(each) for entry in found for each in explanations(entry) if not each.allowed]}


def _denied(data: Path) -> list[Entry]:
    kept: deque[Entry] = deque(maxlen=DENIALS_MAX)
    try:
        kept.extend(reader.entries(data, lambda line: b'"allowed":false' in line))
    except reader.NoTrail:
        return []
    return list(reversed(kept))
