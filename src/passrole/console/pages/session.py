"""Who is signed in."""

from starlette.requests import Request

from passrole.console.caller import Caller
from passrole.console.page import Page


async def show(caller: Caller, _request: Request) -> Page:
    """The page `/session`."""
    identity = await caller.call("sts", "GetCallerIdentity")
    tags = dict(caller.principal.tags)
    return Page("session.html", {"identity": identity, "tags": tags, "region": str(caller.region)})
