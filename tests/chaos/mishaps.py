"""What befalls a cluster: the plan, which follows from its seed alone, and how each mishap begins and ends.

Mishaps come in rounds of one or two, which begin one after the other; a long one is alone. The database is
mended first: while a commit waits for a standby its session stays, with its locks, even if its server was
killed. After a round every node answers again, or the run fails.
"""

import itertools
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.chaos.cluster import Cluster
from tests.chaos.database import PORTS
from tests.chaos.told import Befell, Told

LONG_SECONDS = (36.0, 75.0)
"""Longer than a node may be silent before the others take its work over (30 s); so long that they end it."""

_PAUSE = (0.5, 2.5)
_HELD = (0.3, 5.0)
_TWO = 0.25  # of the rounds have two mishaps
_LONG = 0.05  # of those that can last are this long, in a run of many
_MANY = 50
_CLOCKS = (-200, -90, -20, 20, 90, 200)  # a signature may be 300 s old

Act = Callable[[Cluster, "Mishap"], None]


class Mishap(NamedTuple):
    """One of KINDS; it befalls a node, or the database where `node` is 0."""

    kind: str
    node: int
    held_seconds: float
    number: int
    """A kind's own random number."""


class Round(NamedTuple):
    """After a pause."""

    pause_seconds: float
    mishaps: tuple[Mishap, ...]


class Kind(NamedTuple):
    """How often it comes, what it does, how it is mended."""

    weight: int
    begin: Act
    end: Act
    is_of_node: bool = True
    lasts: bool = False


def kinds() -> dict[str, Kind]:
    """Those that this machine can do."""
    return {name: kind for name, kind in KINDS.items() if name != "clock" or shutil.which("cc")}


def plan(seed: int, count: int, nodes: int, among: dict[str, Kind]) -> Iterator[Round]:
    """Rounds with so many mishaps in all."""
    chance = random.Random(seed)
    drawn = _drawn(chance, among)
    left = count
    while left:
        chosen: list[Mishap] = []
        for name in itertools.islice(drawn, 1 + (left > 1 and chance.random() < _TWO)):
            kind = among[name]
            node = chance.randint(1, nodes) if kind.is_of_node else 0
            is_long = kind.lasts and count >= _MANY and chance.random() < _LONG
            held = chance.choice(LONG_SECONDS) if is_long and not chosen else chance.uniform(*_HELD)
            if all(each.node != node for each in chosen):
                chosen.append(Mishap(name, node, held, chance.randrange(2**16)))
            if held in LONG_SECONDS:
                break
        left -= len(chosen)
        yield Round(chance.uniform(*_PAUSE), tuple(chosen))


def _drawn(chance: random.Random, among: dict[str, Kind]) -> Iterator[str]:
    """Each kind once, in any order, so that a short run has them all; from then on by their weights."""
    names = list(among)
    yield from chance.sample(names, len(names))
    while True:
        yield from chance.choices(names, [kind.weight for kind in among.values()])


def befall(cluster: Cluster, round_: Round, told: Told) -> None:
    """One round, until all is whole again."""
    time.sleep(round_.pause_seconds)
    began = time.monotonic()
    for mishap in round_.mishaps:
        KINDS[mishap.kind].begin(cluster, mishap)
        time.sleep(mishap.held_seconds)
    for mishap in sorted(round_.mishaps, key=lambda mishap: mishap.node):
        KINDS[mishap.kind].end(cluster, mishap)
    over = time.monotonic()
    told.befell += [
        Befell(mishap.kind, cluster.nodes[mishap.node - 1].url, began, over)
        for mishap in round_.mishaps
        if mishap.node
    ]
    for node in cluster.nodes:
        if not node.is_running():
            told.wrong(f"{node.name} has ended: {node.last_words()}")
            node.start()
    what = ", ".join(
        f"{each.kind} of {_subject(each)} ({each.held_seconds:.1f} s)" for each in round_.mishaps
    )
    print(f"  {what}: whole after {time.monotonic() - began:.1f} s", flush=True)


def _subject(mishap: Mishap) -> str:
    return f"node {mishap.node}" if mishap.node else "the database"


def _of_node(name: str) -> Act:
    return lambda cluster, mishap: getattr(cluster.nodes[mishap.node - 1], name)()


def _of_host(name: str, *arguments: object) -> Act:
    return lambda cluster, mishap: getattr(cluster.nodes[mishap.node - 1].host, name)(*arguments)


def _stop(cluster: Cluster, mishap: Mishap) -> None:
    """It hands over and ends, without a complaint."""
    node = cluster.nodes[mishap.node - 1]
    if code := node.stop():
        raise AssertionError(f"{node.name} ended with the code {code}: {node.last_words()}")


def _step_clock(cluster: Cluster, mishap: Mishap) -> None:
    cluster.nodes[mishap.node - 1].step_clock(_CLOCKS[mishap.number % len(_CLOCKS)])


def _mend_clock(cluster: Cluster, mishap: Mishap) -> None:
    cluster.nodes[mishap.node - 1].step_clock(0)


def _restart(cluster: Cluster, mishap: Mishap) -> None:
    cluster.database.restart_primary((signal.SIGINT, signal.SIGQUIT)[mishap.number % 2])


def _stop_standby(cluster: Cluster, _: Mishap) -> None:
    cluster.database.standby.stop(signal.SIGQUIT)


def _start_standby(cluster: Cluster, _: Mishap) -> None:
    cluster.database.standby.start()
    cluster.database.wait_until_in_step()


def _fail_over(cluster: Cluster, _: Mishap) -> None:
    cluster.database.fail_over()


def _rebuild(cluster: Cluster, _: Mishap) -> None:
    cluster.database.rebuild()


def _nothing(_cluster: Cluster, _mishap: Mishap) -> None:
    """It is over when it has begun."""


KINDS = {
    "kill": Kind(5, _of_node("kill"), _of_node("start")),
    "stop": Kind(2, _stop, _of_node("start")),
    "freeze": Kind(3, _of_node("freeze"), _of_node("thaw"), lasts=True),
    "cut": Kind(3, _of_host("cut"), _of_host("join"), lasts=True),
    "cut from the database": Kind(3, _of_host("drop", PORTS), _of_host("let_through", PORTS), lasts=True),
    "clock": Kind(2, _step_clock, _mend_clock),
    "full disk": Kind(2, _of_node("fill_disk"), _of_node("free_disk"), lasts=True),
    "restart": Kind(2, _restart, _nothing, is_of_node=False),
    "standby lost": Kind(1, _stop_standby, _start_standby, is_of_node=False),
    "failover": Kind(2, _fail_over, _rebuild, is_of_node=False),
}
