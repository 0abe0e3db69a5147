"""The routes of the console: every page is there as HTML and as JSON, every change is a form's POST."""

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from passrole import disk
from passrole.console import changes, page, readiness, sign_in
from passrole.console.caller import Caller
from passrole.console.forms import Form, back, read_form
from passrole.console.guard import Guard
from passrole.console.means import Means
from passrole.console.metrics import Metrics
from passrole.console.page import Page
from passrole.console.pages import (
    approvals,
    check,
    compare,
    denials,
    execution,
    inbox,
    packages,
    pipelines,
    session,
    step,
)
from passrole.faults import Fault

log = logging.getLogger(__name__)

Show = Callable[[Caller, Request], Awaitable[Page]]
Change = Callable[[Caller, Request, Form], Awaitable[str]]
"""What a form changes, and where the browser goes then. Raises Fault."""

PAGES: tuple[tuple[str, Show], ...] = (
    ("/", inbox.show),
    ("/pipelines", pipelines.show_all),
    ("/pipelines/{name}", pipelines.show),
    ("/executions/{id}", execution.show),
    ("/executions/{id}/steps/{name}", step.show),
    ("/executions/{id}/steps/{name}/log", step.show_log),
    ("/compare", compare.show),
    ("/approvals", approvals.show),
    ("/packages", packages.show_groups),
    ("/packages/{group}", packages.show_group),
    ("/packages/{group}/{version:int}", packages.show),
    ("/denials", denials.show),
    ("/check", check.show),
    ("/session", session.show),
)
CHANGES: tuple[tuple[str, Change], ...] = (
    ("/pipelines/{name}/start", pipelines.start),
    ("/executions/{id}/stop", execution.stop),
    ("/executions/{id}/retry", execution.retry),
    ("/approvals/callbacks/{execution}/{step}/{attempt:int}", approvals.answer_callback),
    ("/approvals/packages/{group}/{version:int}", approvals.answer_package),
)
Answer = Callable[[Caller, Request, Form], Awaitable[Page]]
"""What a form asks; it changes nothing, but is too large for a URL."""

ANSWERS: tuple[tuple[str, Answer], ...] = (("/check", check.check),)
_STATIC = Path(__file__).parent / "static"


def application(means: Means) -> Starlette:
    """The ASGI application of one server's console."""
    hearing = changes.Hearing(means.store)
    metrics = Metrics(means, lambda: hearing.streams)
    routes = [
        Route("/health", _health, methods=["GET"]),
        Route("/ready", readiness.ready(means), methods=["GET"]),
        Route("/metrics", _metrics(metrics), methods=["GET"]),
        Route("/login", _sign_in(means), methods=["GET"]),
        Route("/logout", _sign_out(means), methods=["POST"]),
        Route("/signed-out", _signed_out, methods=["GET"]),
        Route("/events", changes.events(means, hearing), methods=["GET"]),
        *(
            Route(_json_path(path), _shown(means, show, as_json=True), methods=["GET"])
            for path, show in PAGES
        ),
        *(Route(path, _shown(means, show, as_json=False), methods=["GET"]) for path, show in PAGES),
        *(Route(path, _changed(means, change), methods=["POST"]) for path, change in CHANGES),
        *(
            Route(_json_path(path), _shown(means, _asked(answer), as_json=True), methods=["POST"])
            for path, answer in ANSWERS
        ),
        *(
            Route(path, _shown(means, _asked(answer), as_json=False), methods=["POST"])
            for path, answer in ANSWERS
        ),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, config=means.config)])


def _json_path(path: str) -> str:
    return f"{path}.json"


def _shown(means: Means, show: Show, *, as_json: bool) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        caller = await sign_in.caller_of(request, means)
        if caller is None:
            refused = JSONResponse({"message": "sign in with `passrole console`"}, 401)
            return refused if as_json else RedirectResponse("/signed-out", 303)
        found = await _or_refusal(show(caller, request))
        return await (page.json(found) if as_json else page.html(found, caller))

    return respond


def _changed(means: Means, change: Change) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        caller = await sign_in.caller_of(request, means)
        if caller is None:
            return RedirectResponse("/signed-out", 303)
        onward = None
        try:
            form = await read_form(request)
            onward = back(form)
            return RedirectResponse(await change(caller, request, form), 303)
        except Fault as fault:
            return await page.html(_refusal(fault, onward), caller)
        except Exception as error:
            disk.report(log, error, request.url.path)
            return await page.html(_failure(), caller)

    return respond


def _asked(answer: Answer) -> Show:
    async def show(caller: Caller, request: Request) -> Page:
        return await answer(caller, request, await read_form(request))

    return show


async def _or_refusal(shown: Awaitable[Page]) -> Page:
    try:
        return await shown
    except Fault as fault:
        return _refusal(fault)
    except Exception as error:
        disk.report(log, error, "a page of the console")
        return _failure()


def _refusal(fault: Fault, onward: str | None = None) -> Page:
    status = 409 if fault.code == "ConflictException" else _STATUSES.get(fault.code, 400)
    facts = {"code": fault.code, "message": fault.message, "onward": onward}
    return Page("refusal.html", facts, status)


_STATUSES = {
    "AccessDeniedException": 403,
    "AccessDenied": 403,
    "ResourceNotFound": 404,
    "ResourceNotFoundException": 404,
}


def _failure() -> Page:
    facts = {"code": "InternalFailure", "message": "passrole failed; its log says why", "onward": None}
    return Page("refusal.html", facts, 500)


async def _health(_request: Request) -> Response:
    """The process answers; whether it can work, `/ready` says."""
    return JSONResponse({"status": "alive"})


def _metrics(metrics: Metrics) -> Callable[[Request], Awaitable[Response]]:
    async def respond(_request: Request) -> Response:
        return Response(await metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return respond


async def _signed_out(_request: Request) -> Response:
    return await page.html(Page("signed_out.html", {}, 401), None)


def _sign_in(means: Means) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return await page.html(Page("link_refused.html", {"is_foreign": True}, 403), None)
        opened = await sign_in.sign_in(request, means)
        return opened or await page.html(Page("link_refused.html", {"is_foreign": False}, 410), None)

    return respond


def _sign_out(means: Means) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        return await sign_in.sign_out(request, means)

    return respond
