"""At most once per ClientRequestToken, and pages of long answers.

AWS documents neither how long a token is remembered nor what a second use with another request gives;
here it is a week, and ConflictException.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.store import Tx

Json = dict[str, Any]
SortOrder = Literal["Ascending", "Descending"]

TOKEN_SECONDS = 7 * 24 * 3600
PAGE_MAX = 100
"""Also the default of MaxResults, which AWS does not document: the SDK's list_steps reads one page only."""

_NOT_VALID = "The NextToken is not valid."


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
        sentence = f"ClientRequestToken {request.token} was used before with different parameters."
        raise Fault("ConflictException", sentence)
    earlier: Json = orjson.loads(row[1])
    return earlier


def token_behind(*place: str | float) -> str:
    """The NextToken of a page that begins behind this place in its list."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def place_of(token: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """What `token_behind` was given, checked for its types. Raises ValidationException."""
    if token is None:
        return None
    try:
        values = orjson.loads(base64.b64decode(token, altchars=b"-_", validate=True))
    except ValueError:
        values = None
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise Fault("ValidationException", _NOT_VALID)
    return tuple(values)


def page_of(member: str, items: Sequence[Json], key: str, token: str | None, limit: int) -> Json:
    """The answer that has a page of `items` under `member`; `key` is the member that tells items apart."""
    place = place_of(token, str)
    first = 0
    if place is not None:
        behind = [number for number, item in enumerate(items, 1) if item[key] == place[0]]
        if not behind:  # such as a step that a retry has taken back since
            raise Fault("ValidationException", _NOT_VALID)
        first = behind[0]
    shown = items[first : first + limit]
    answer: Json = {member: shown}
    if first + limit < len(items):
        answer["NextToken"] = token_behind(str(shown[-1][key]))
    return answer


def is_between(created: float, after: float | None, before: float | None) -> bool:
    """Whether a time passes the filters CreatedAfter and CreatedBefore, both inclusive."""
    return (after is None or created >= after) and (before is None or created <= before)


def without_none(**members: Any) -> Json:
    """An answer: a member that has no value does not appear."""
    return {name: value for name, value in members.items() if value is not None}


def _remember(tx: Tx, row: tuple[str, str, str, bytes, float]) -> None:
    tx.run("DELETE FROM request_tokens WHERE recorded < ?", row[-1] - TOKEN_SECONDS)
    sql = "INSERT INTO request_tokens (scope, token, request, answer, recorded) VALUES (?, ?, ?, ?, ?)"
    tx.run(sql, *row)
