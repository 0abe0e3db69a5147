"""The inbox: what waits for my answer, what runs, what failed in the last day."""

import time

from starlette.requests import Request

from passrole.console.caller import Caller
from passrole.console.page import Page
from passrole.console.pages.approvals import shown_of, waiting
from passrole.console.steps import ENDED

DAY_SECONDS = 86_400
WAITING_SHOWN = 20


async def show(caller: Caller, _request: Request) -> Page:
    """The page `/`."""
    answer = await caller.ask("ListRecentExecutions", Since=time.time() - DAY_SECONDS)
    executions = answer["PipelineExecutions"]
    items = await waiting(caller)
    facts = {
        "waiting": await shown_of(caller, items[:WAITING_SHOWN]),
        "waiting_count": len(items),
        "running": [each for each in executions if each["PipelineExecutionStatus"] not in ENDED],
        "failed": [each for each in executions if each["PipelineExecutionStatus"] == "Failed"],
        "ended": [
            each
            for each in executions
            if each["PipelineExecutionStatus"] in ENDED and each["PipelineExecutionStatus"] != "Failed"
        ],
    }
    return Page("inbox.html", facts, changes="*")
