"""What background work there is, and which servers do it: read from the rows, with and without a server.

The rows say what is not done; they do not say what a server has in hand at the moment.
"""

import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from passrole.config import Config
from passrole.store import Tx, UnknownSchema, claims, opening, tasks
from passrole.store.tasks import Depth

_FOLLOWED = "-job"
"""How kinds end whose tasks are there for as long as what they follow: how old they are says nothing."""

NodeState = Literal["present", "resting", "ended", "gone"]


@dataclass(frozen=True)
class Node:
    """A server of several on a database, the last under its name.

    One that is `resting` cannot write on its disk, and one that has `ended` may come back; the others take
    over from one that is `gone`. `claims` is how many jobs, clusters and job runs it has, by their kinds.
    """

    number: int
    name: str
    state: NodeState
    claims: Mapping[str, int]


@dataclass(frozen=True)
class Backlog:
    """Work by its kind; servers, where several share the database."""

    kinds: Mapping[str, Depth]
    nodes: Sequence[Node]

    @property
    def is_served(self) -> bool:
        """Whether one of several servers does it now."""
        return any(node.state == "present" for node in self.nodes)

    @property
    def ready(self) -> int:
        """How many tasks may be done now."""
        return sum(depth.ready for depth in self.kinds.values())

    @property
    def later(self) -> int:
        """How many wait for their moment."""
        return sum(depth.later for depth in self.kinds.values())

    @property
    def lag_seconds(self) -> float:
        """How long ago the oldest was due that is not done, jobs that run left out; 0 without any."""
        return max(
            (depth.oldest_seconds for kind, depth in self.kinds.items() if not kind.endswith(_FOLLOWED)),
            default=0.0,
        )


def backlog_of(config: Config) -> Backlog | None:
    """None where the rows cannot be read here, as where a server runs whose database nobody names."""
    try:
        rows = opening.looked_at(config)
    except (opening.StoreUnusable, UnknownSchema, sqlite3.Error):
        return None
    try:
        return rows.look(lambda tx: Backlog(tasks.depths(tx, time.time()), _nodes(tx, config)))
    finally:
        rows.close_now()


def _nodes(tx: Tx, config: Config) -> list[Node]:
    if not config.store:
        return []
    from passrole.store.postgres_node import sessions  # it needs the extra

    alive, resting = sessions(tx), claims.resting(tx)

    def state(number: int, is_gone: bool) -> NodeState:
        if number not in alive or is_gone:
            return "gone" if is_gone else "ended"
        return "resting" if number in resting else "present"

    counts = claims.counts(tx)
    last = {name: (number, is_gone) for number, name, is_gone in claims.servers(tx)}
    return [
        Node(number, name, state(number, is_gone), counts.get(number, {}))
        for name, (number, is_gone) in last.items()
    ]
