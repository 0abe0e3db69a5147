"""ClientRequestToken: a request is done at most once.

AWS documents neither how long a token is remembered nor what a second use with another request gives;
here it is a week, and ConflictException.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.store import Tx

Json = dict[str, Any]

TOKEN_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class Request:
    """One request that may come twice. Within `scope` a token means one request; None is no token."""

    scope: str
    token: str | None
    parameters: Mapping[str, Any]


def once(tx: Tx, ctx: Context, request: Request, act: Callable[[], Json]) -> Json:
    """What `act` answers, or answered when the same request came first. A refusal is not remembered.

    Raises ConflictException where the token came with another request.
    """
    if request.token is None:
        return act()
    digest = hashlib.sha256(orjson.dumps(request.parameters, option=orjson.OPT_SORT_KEYS)).hexdigest()
    scope = ctx.key(request.scope)
    sql = "SELECT request, answer FROM request_tokens WHERE scope = ? AND token = ?"
    row = tx.one(sql, scope, request.token)
    if row is None:
        answer = act()
        _remember(tx, (scope, request.token, digest, orjson.dumps(answer), ctx.clock()))
        return answer
    if row[0] != digest:
        message = f"ClientRequestToken {request.token} was used before with different parameters."
        raise Fault("ConflictException", message)
    earlier: Json = orjson.loads(row[1])
    return earlier


def _remember(tx: Tx, row: tuple[str, str, str, bytes, float]) -> None:
    tx.run("DELETE FROM request_tokens WHERE recorded < ?", row[-1] - TOKEN_SECONDS)
    sql = "INSERT INTO request_tokens (scope, token, request, answer, recorded) VALUES (?, ?, ?, ?, ?)"
    tx.run(sql, *row)
