"""A page: the facts that it shows, as JSON or as HTML of a template."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.responses import HTMLResponse, Response

from passrole.console.caller import Caller
from passrole.console.words import FILTERS


@dataclass(frozen=True)
class Page:
    """What a page shows. `facts` are its JSON too; `changes` names the execution whose changes it follows,
    `*` means any.
    """

    template: str
    facts: Mapping[str, Any]
    status: int = 200
    changes: str = ""


async def html(page: Page, caller: Caller | None) -> Response:
    """The page for a browser; nobody may be signed in. One of thousands of steps is written in a thread."""
    return await asyncio.to_thread(_html, page, caller)


def _html(page: Page, caller: Caller | None) -> Response:
    signed_in = caller.principal.arn if caller else None
    text = (
        _environment()
        .get_template(page.template)
        .render(**page.facts, signed_in=signed_in, changes=page.changes, now=time.time())
    )
    return HTMLResponse(text, page.status)


async def json(page: Page) -> Response:
    """The same facts for a program."""
    return await asyncio.to_thread(_json, page)


def _json(page: Page) -> Response:
    option = orjson.OPT_INDENT_2 | orjson.OPT_PASSTHROUGH_DATACLASS
    body = orjson.dumps(page.facts, default=_plain, option=option)
    return Response(body, page.status, media_type="application/json")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("passrole.console"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    return made


@cache
def _members(kind: Any) -> Sequence[str]:
    derived = [name for name, member in vars(kind).items() if isinstance(member, property)]
    return [*(field.name for field in fields(kind)), *derived]


def _plain(value: object) -> Any:
    """A dataclass with what it derives, too: a page shows it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: getattr(value, name) for name in _members(type(value))}
    raise TypeError(f"{type(value)} is no fact of a page")
