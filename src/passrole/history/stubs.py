"""Stubs for executions that are still to be started: what stands for which steps (engine/stubs.py).

Those of a pipeline are for the one execution that is started with their token, and are gone with its start.
There may be several, since who prepares a start does not know who else does: each is a document below the
pipeline's ARN. Earlier versions kept a single one, at the ARN itself; it counts until its time is over.
Those that stand for a step of that name in any pipeline are of a server for tests: nothing over the network
writes them.
"""

import hashlib
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from passrole.store import Collection, Tx

AWAITED_SECONDS_MAX = 3_600
"""Stubs whose execution is not started within that time are for none."""

Stubs = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Prepared:
    """Stubs by step; `token` is the ClientRequestToken of the start that they are for."""

    stubs: Stubs
    token: str = ""
    at: float = 0.0


_ROWS = Collection("stubs", Prepared)
_EVERYWHERE = "*"


def prepare(tx: Tx, pipeline: str, token: str, stubs: Stubs, at: float) -> None:
    """Keep stubs for the execution of a pipeline (its ARN) that is started with this token.

    Those that nothing was started with in time go, since nothing else takes them away.
    """
    for key, found in _of_pipeline(tx, pipeline):
        if not _is_awaited(found, at):
            _ROWS.delete(tx, key)
    _ROWS.put(tx, _key(pipeline, token), Prepared(stubs, token, at))


def delete_all(tx: Tx, pipeline: str) -> None:
    """Remove what stands for steps of the pipeline (its ARN), whatever token it is for."""
    for key, _ in _of_pipeline(tx, pipeline):
        _ROWS.delete(tx, key)


def set_everywhere(tx: Tx, stubs: Stubs) -> None:
    """Have these stand for the steps of their names in every execution that is started from now on."""
    _ROWS.put(tx, _EVERYWHERE, Prepared(stubs))


def names(tx: Tx, pipeline: str, at: float) -> frozenset[str]:
    """The steps for which something stands, or is to stand, in executions of the pipeline (its ARN)."""
    awaited = (found.stubs for _, found in _of_pipeline(tx, pipeline) if _is_awaited(found, at))
    return frozenset(_everywhere(tx)).union(*awaited)


def take(tx: Tx, pipeline: str, token: str, at: float, steps: Container[str]) -> Stubs:
    """The stubs of an execution that starts with the token; those of the token may be of unknown steps."""
    everywhere = {name: stub for name, stub in _everywhere(tx).items() if name in steps}
    for key in (_key(pipeline, token), pipeline):
        found = _ROWS.get(tx, key)
        if found is not None and found.token == token and _is_awaited(found, at):
            _ROWS.delete(tx, key)
            return {**everywhere, **found.stubs}
    return everywhere


def _key(pipeline: str, token: str) -> str:
    """A token may hold anything, a separator too, and be of any length."""
    return _ROWS.child(pipeline, hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest())


def _of_pipeline(tx: Tx, pipeline: str) -> list[tuple[str, Prepared]]:
    """By key: those of its tokens, and what an earlier version kept."""
    earlier = _ROWS.get(tx, pipeline)
    return [*([(pipeline, earlier)] if earlier else ()), *_ROWS.children(tx, pipeline)]


def _is_awaited(found: Prepared, at: float) -> bool:
    return at - found.at <= AWAITED_SECONDS_MAX


def _everywhere(tx: Tx) -> Stubs:
    found = _ROWS.get(tx, _EVERYWHERE)
    return found.stubs if found else {}
