"""Stubs for executions that are still to be started: what stands for which steps (engine/stubs.py).

Those of a pipeline are for the one execution that is started with their token, and are gone with its start.
Those that stand for a step of that name in any pipeline are of a server for tests: nothing over the network
writes them.
"""

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
    """Keep stubs for the execution of a pipeline (its ARN) that is started with this token."""
    _ROWS.put(tx, pipeline, Prepared(stubs, token, at))


def set_everywhere(tx: Tx, stubs: Stubs) -> None:
    """Have these stand for the steps of their names in every execution that is started from now on."""
    _ROWS.put(tx, _EVERYWHERE, Prepared(stubs))


def names(tx: Tx, pipeline: str, at: float) -> frozenset[str]:
    """The steps for which something stands, or is to stand, in executions of the pipeline (its ARN)."""
    found = _of_pipeline(tx, pipeline, at)
    return frozenset({**_everywhere(tx), **(found.stubs if found else {})})


def take(tx: Tx, pipeline: str, token: str, at: float, steps: Container[str]) -> Stubs:
    """The stubs of an execution that starts with the token; those of the token may be of unknown steps."""
    everywhere = {name: stub for name, stub in _everywhere(tx).items() if name in steps}
    found = _of_pipeline(tx, pipeline, at)
    if found is None or found.token != token:
        return everywhere
    _ROWS.delete(tx, pipeline)
    return {**everywhere, **found.stubs}


def _of_pipeline(tx: Tx, pipeline: str, at: float) -> Prepared | None:
    found = _ROWS.get(tx, pipeline)
    return found if found is not None and at - found.at <= AWAITED_SECONDS_MAX else None


def _everywhere(tx: Tx) -> Stubs:
    found = _ROWS.get(tx, _EVERYWHERE)
    return found.stubs if found else {}
