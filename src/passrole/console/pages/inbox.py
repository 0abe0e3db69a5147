"""The inbox: what waits for my answer, what runs, what failed in the last day."""

import time
from typing import Any

from starlette.requests import Request

from passrole.console.caller import Caller
from passrole.console.page import Page
from passrole.console.pages.approvals import shown_of, waiting
from passrole.console.steps import ENDED
from passrole.services.passrole_.console import EXECUTIONS_MAX

DAY_SECONDS = 86_400
WAITING_SHOWN = 20
EXECUTIONS_SHOWN = 50
"""Of each section, the newest."""


async def show(caller: Caller, _request: Request) -> Page:
    """The page `/`."""
    answer = await caller.ask("ListRecentExecutions", Since=time.time() - DAY_SECONDS)
    sections: dict[str, list[dict[str, Any]]] = {"running": [], "failed": [], "ended": []}
    for each in answer["PipelineExecutions"]:
        sections[_section(each["PipelineExecutionStatus"])].append(each)
    items = await waiting(caller)
    facts = {
        "waiting": await shown_of(caller, items[:WAITING_SHOWN]),
        "waiting_count": len(items),
        **{name: found[:EXECUTIONS_SHOWN] for name, found in sections.items()},
        "are_all": len(answer["PipelineExecutions"]) < EXECUTIONS_MAX,
        "counts": {name: len(found) for name, found in sections.items()},
    }
    return Page("inbox.html", facts, changes="*")


def _section(status: str) -> str:
    if status == "Failed":
        return "failed"
    return "ended" if status in ENDED else "running"
