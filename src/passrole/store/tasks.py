"""The one durable list of background work: what is to be done, and when.

A task has a kind, a key, a body and the moment from which it may be done. One that waits, for a second or
for a day, is a row: it holds no asyncio task, no timer and no memory. One that is done as soon as it is the
turn of its party has no such moment (`add_in_turns`, `take_in_turns`). Three verbs:

- `add(tx, kind, key, body, due)` in the transaction of the change that asks for the work;
- `take(tx, kind, now, limit, held)` reads those that are due, oldest first;
- `done(tx, kind, key)` in the transaction that records the result.

Killed at any moment: a task that was added and is not done is taken again at the next start. So work is done
at least once; whoever may not do it twice keeps a note of it under the task's key. Rows are not marked while
they are worked on: the process that takes them knows what it holds (worker/task_queue.py). Where there are
several, a `node` takes the tasks of the shards that it has borrowed (shards.py).

It knows no kinds and does not run anything. Its notices are wake-ups: a queue in another database
can stand behind the same verbs.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from passrole.store.interface import Tx
from passrole.store.share import ALONE, shard_of

_CHANNELS = "tasks/"


class Task(NamedTuple):
    """Something to do. `due` is epoch seconds, 0 where it was added without; `failures` is how often it was
    postponed by `postpone`.
    """

    key: str
    body: bytes
    due: float
    failures: int = 0


class Depth(NamedTuple):
    """Tasks of a kind that are not done: how many may be done now, and how many later.

    `oldest_seconds` is how long ago the first of them was due; 0 where none says when that was.
    """

    ready: int
    later: int
    oldest_seconds: float


def channel(kind: str) -> str:
    """The channel on which tasks of the kind are announced. Its notices are wake-ups."""
    return f"{_CHANNELS}{kind}"


def is_channel(name: str) -> bool:
    """Whether tasks are announced on the channel, by their shard and what the process knows them by."""
    return name.startswith(_CHANNELS)


def announced_shard(key: str) -> str:
    """The number of the shard whose tasks a notice tells of, by the notice's key."""
    return key.partition(_SPACE)[0]


def announced_hint(key: str) -> str:
    """What `add_in_turns` was given as a hint, in the process that gave it."""
    return key.partition(_SPACE)[2]


def add(tx: Tx, kind: str, key: str, body: bytes, due: float) -> None:
    """Have something done once it is `due`; a task under the same key is replaced, and so postponed.

    Killed before the transaction is committed: there is no task, and none of the change that asked for it.
    After: it is done, by this process or the next.
    """
    shard = shard_of(key)
    tx.run(_ADD, kind, key, body, due, shard)
    tx.notify(channel(kind), str(shard))


def add_in_turns(tx: Tx, kind: str, tasks: Iterable[tuple[str, bytes]], hint: str = "") -> None:
    """`add` for tasks that `take_in_turns` takes: key and body of each. `take` does not know them.

    They are in no index of due times: a commit has a page less to write.
    The notice of each shard has the `hint`, by which a listener in this process may know the tasks without
    reading them. Nobody may rely on one.
    """
    rows = [(kind, key, body, None, shard_of(key)) for key, body in tasks]
    tx.run_many(_ADD, rows)
    for shard in dict.fromkeys(row[-1] for row in rows):
        tx.notify(channel(kind), f"{shard}{_SPACE}{hint}" if hint else str(shard))


def take(
    tx: Tx, kind: str, now: float, limit: int, held: Collection[str] = (), node: int = ALONE
) -> list[Task]:
    """Those due at `now`, oldest first and then by key, `limit` at most, without those whose keys are `held`.

    It reads at most `limit` rows, and the keys of as many as are held. It writes nothing: killed after it,
    the tasks are there as before.
    """
    if not held:
        return [Task(*row) for row in tx.all(_DUE, kind, now, node, limit)]
    due = tx.all(_DUE_KEYS, kind, now, node, limit + len(held))
    keys = [key for (key,) in due if key not in held][:limit]
    rows = (tx.one(_BY_KEY, kind, key) for key in keys)
    return [Task(*row) for row in rows if row is not None]


def take_in_turns(
    tx: Tx,
    kind: str,
    after: str,
    limit: int,
    room: Callable[[str], int],
    held: Mapping[str, Collection[str]],
    node: int = ALONE,
) -> tuple[list[Task], bool]:
    """Tasks that were added in turns, by party and then by key; and whether these are all there are.

    Their keys are `<party> <name>`. `limit` at most, of a party at most as many as it has `room`, without the
    keys that are `held` of it. The first is the party behind `after`, the last `after` itself.
    """
    taken: list[Task] = []
    is_all = True
    for party in _parties(tx, kind, after, node):
        wanted = min(room(party), limit - len(taken))
        if wanted > 0:
            found = of_party(tx, kind, party, wanted + 1, held.get(party, ()))
            taken += found[:wanted]
            is_all = is_all and len(found) <= wanted
        else:
            is_all = False
        if len(taken) >= limit:
            return taken, False
    return taken, is_all


def of_party(tx: Tx, kind: str, party: str, limit: int, held: Collection[str] = ()) -> list[Task]:
    """Tasks of a party, by key, `limit` at most, without those whose keys are `held`."""
    rows = tx.all(_OF_PARTY, kind, party + _SPACE, party + _AFTER_SPACE, limit + len(held))
    return [Task(*row) for row in rows if row[0] not in held][:limit]


def discard(tx: Tx, kind: str, first: str, last: str) -> None:
    """Remove the tasks whose keys are between these two, as what they belong to is deleted."""
    tx.run("DELETE FROM tasks WHERE kind = ? AND key >= ? AND key < ?", kind, first, last)


def find(tx: Tx, kind: str, key: str) -> Task | None:
    """The task under a key, due or not; None where there is none."""
    row = tx.one(
        "SELECT key, body, COALESCE(due, 0.0), failures FROM tasks WHERE kind = ? AND key = ?", kind, key
    )
    return Task(*row) if row else None


def replace_body(tx: Tx, kind: str, key: str, body: bytes) -> None:
    """Note how far a task is that goes on; nothing of one that is done. It is announced to nobody."""
    tx.run("UPDATE tasks SET body = ? WHERE kind = ? AND key = ?", body, kind, key)


def keys(tx: Tx, kind: str, after: str, limit: int) -> list[str]:
    """The keys of tasks of a kind beyond `after`, `limit` at most, due or not."""
    rows = tx.all("SELECT key FROM tasks WHERE kind = ? AND key > ? ORDER BY key LIMIT ?", kind, after, limit)
    return [key for (key,) in rows]


def next_due(tx: Tx, kind: str, after: float, node: int = ALONE) -> float | None:
    """When the first task that is due later than `after` is due; None where there is none."""
    row = tx.one(_NEXT_DUE, kind, after, node)
    return row[0] if row else None


def counts(tx: Tx) -> dict[str, int]:
    """How many tasks of each kind are not done."""
    return dict(tx.all("SELECT kind, count(*) FROM tasks GROUP BY kind"))


def depths(tx: Tx, now: float) -> dict[str, Depth]:
    """How much there is of each kind. It reads all of it."""
    return {
        kind: Depth(ready, every - ready, 0.0 if oldest is None else now - oldest)
        for kind, every, ready, oldest in tx.all(_DEPTHS, now, now)
    }


def done(tx: Tx, kind: str, key: str) -> bool:
    """Remove a task; whether it was there.

    Killed before the transaction is committed: the task is there, none of its result is, and it is done
    again. After: it is not done again.
    """
    return tx.run("DELETE FROM tasks WHERE kind = ? AND key = ?", kind, key) == 1


def postpone(tx: Tx, kind: str, key: str, due: float) -> None:
    """Have a task tried again later because passrole itself failed at it; one that is done stays done.

    Killed before the transaction is committed: it is tried again at the next start.
    """
    tx.run("UPDATE tasks SET due = ?, failures = failures + 1 WHERE kind = ? AND key = ?", due, kind, key)
    tx.notify(channel(kind), str(shard_of(key)))


def bring_forward(tx: Tx, kind: str, latest: float) -> int:
    """Make due at `latest` what is due later, as after the clock was set back; how many that were."""
    return tx.run("UPDATE tasks SET due = ? WHERE kind = ? AND due > ?", latest, kind, latest)


_ADD = (
    "INSERT INTO tasks (kind, key, body, due, shard) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body, due = excluded.due, failures = 0"
)
_DEPTHS = (
    "SELECT kind, count(*), count(CASE WHEN COALESCE(due, 0.0) <= ? THEN 1 END),"
    " min(CASE WHEN due > 0.0 AND due <= ? THEN due END) FROM tasks GROUP BY kind ORDER BY kind"
)
_WHICH = (
    "FROM tasks WHERE kind = ? AND {}"
    " AND shard IN (SELECT shard FROM leases WHERE node = ? AND is_closing = 0)"
)
_WHICH_IS_DUE = f"{_WHICH.format('due <= ?')} ORDER BY due, key LIMIT ?"
_DUE = f"SELECT key, body, due, failures {_WHICH_IS_DUE}"
_DUE_KEYS = f"SELECT key {_WHICH_IS_DUE}"
_BY_KEY = "SELECT key, body, due, failures FROM tasks WHERE kind = ? AND key = ?"
_SPACE, _AFTER_SPACE = " ", "!"
_NEXT_DUE = f"SELECT due {_WHICH.format('due > ?')} ORDER BY due LIMIT 1"
_NEXT_PARTY = f"SELECT key {_WHICH.format('key >= ?')} ORDER BY key LIMIT 1"
_OF_PARTY = (
    "SELECT key, body, COALESCE(due, 0.0), failures FROM tasks"
    " WHERE kind = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?"
)


def _parties(tx: Tx, kind: str, after: str, node: int) -> Iterator[str]:
    """Each party that has tasks, once: those behind `after` first. A seek in the primary key for each."""
    start, has_wrapped = after + _AFTER_SPACE if after else "", not after
    while True:
        row = tx.one(_NEXT_PARTY, kind, start, node)
        party = row[0].partition(_SPACE)[0] if row else None
        if party is None or (has_wrapped and after and party > after):
            if has_wrapped:
                return
            start, has_wrapped = "", True
            continue
        yield party
        start = party + _AFTER_SPACE
