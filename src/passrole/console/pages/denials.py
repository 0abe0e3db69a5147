"""Denials: the calls of the audit trail that were denied, each with the layers and what would allow it."""

from starlette.requests import Request

from passrole.console.caller import Caller
from passrole.console.page import Page


async def show(caller: Caller, _request: Request) -> Page:
    """The page `/denials`."""
    answer = await caller.ask("ListDenials")
    return Page("denials.html", {"denials": answer["Denials"]})
