"""Signing in by a link, who is signed in, and signing out.

The session's secret is in a cookie that no script reads. It is looked up again for every request, so a
session ends with its key, its user or its role.
"""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from passrole.console.caller import Caller
from passrole.console.means import Means
from passrole.gateway.origin import origin
from passrole.identities import UnknownKey, console_sessions
from passrole.identities.console_sessions import ConsoleSession
from passrole.identities.sessions import ACCESS_KEY_PREFIX

SECRET_CHARACTERS_MAX = 64


async def caller_of(request: Request, means: Means) -> Caller | None:
    """Who is signed in; None where nobody is, or not any more."""
    secret = request.cookies.get(cookie_name(means), "")
    if not 0 < len(secret) <= SECRET_CHARACTERS_MAX:
        return None
    session = await means.store.read(lambda tx: console_sessions.find(tx, secret, means.clock()))
    if session is None or not await _is_valid(session, means):
        return None
    address, secure = origin(request.scope, means.config.trusted_proxies.networks)
    return Caller(
        door=means.door,
        principal=session.caller,
        account=means.config.account,
        region=means.config.region,
        source_ip=address,
        user_agent=request.headers.get("user-agent"),
        secure=secure,
    )


async def sign_in(request: Request, means: Means) -> Response | None:
    """Open the session of a link and go to the inbox; None where the link opens nothing (any more).

    The one GET that changes something: the link is made to be opened once, by a browser that comes from
    nowhere. It is of no use to a page of others: they would sign a person in as whoever made the link.
    """
    token = request.query_params.get("token", "")[:SECRET_CHARACTERS_MAX]
    secret = await means.store.write(lambda tx: console_sessions.open_link(tx, token, means.clock()))
    if secret is None:
        return None
    response = RedirectResponse("/", 303)
    response.set_cookie(
        cookie_name(means),
        secret,
        max_age=console_sessions.SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=origin(request.scope, means.config.trusted_proxies.networks).secure,
    )
    return response


async def sign_out(request: Request, means: Means) -> Response:
    """End the session."""
    secret = request.cookies.get(cookie_name(means), "")
    await means.store.write(lambda tx: console_sessions.close(tx, secret))
    response = RedirectResponse("/signed-out", 303)
    response.delete_cookie(cookie_name(means), httponly=True, samesite="strict")
    return response


def cookie_name(means: Means) -> str:
    """With the port, since browsers send cookies to all ports of a host."""
    return f"passrole-{means.port}"


async def _is_valid(session: ConsoleSession, means: Means) -> bool:
    """Whether the key that asked for the session, and the user or role that it is, are still there."""
    try:
        if not session.access_key.startswith(ACCESS_KEY_PREFIX):
            await means.directory.credentials(session.access_key, None)
        await means.directory.effective_policies(session.caller)
    except UnknownKey:
        return False
    return True
