"""What every request to the console must pass before anything else looks at it, and what every answer says.

Cookies know no ports, and a name can be made to resolve to loopback. So a foreign Host is refused, and a
change is made only for a page of ours. https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from passrole.config import Config
from passrole.gateway.origin import origin
from passrole.gateway.own_operations import is_own_host

MISDIRECTED = 421
BODY_BYTES_MAX = 1_048_576
_LENGTH_DIGITS_MAX = 12
SAFE = frozenset({"GET", "HEAD"})

HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


class Guard:
    """Refuses what is not for this console or not from its pages; adds the headers to every answer."""

    def __init__(self, app: ASGIApp, config: Config) -> None:
        self._app = app
        self._config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_on)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        if not is_own_host(headers.get("host", ""), self._config):
            return PlainTextResponse("this console has another address\n", MISDIRECTED)
        if scope["method"] not in SAFE and not _is_of_our_page(scope, headers, self._config):
            return PlainTextResponse("changes are made from the console's own pages alone\n", 403)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or "transfer-encoding" in headers:
            return PlainTextResponse("the length of the body must be told\n", 411)
        if len(length) > _LENGTH_DIGITS_MAX or int(length) > BODY_BYTES_MAX:
            return PlainTextResponse("the body is too large\n", 413)
        return None


def _is_of_our_page(scope: Scope, headers: Headers, config: Config) -> bool:
    """By Sec-Fetch-Site, which no page can forge; of a browser without it, by Origin."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    secure = origin(scope, config.trusted_proxies.networks).secure
    given = urlsplit(headers.get("origin", ""))
    return (given.scheme, given.netloc) == ("https" if secure else "http", headers.get("host"))
