"""What every store does. Few methods, each saying what a crash before and after it means.

A transaction is a plain function `fn(tx)`: no awaiting inside, so that one writer can run many in
one commit. Its result, or the exception that it raised, comes back to the one who awaits; an
exception undoes what that function wrote and nothing else.

**It may run again**, as after a conflict with another node, or where another one of the same commit raises;
then nothing is left of the run before, and the result and the notices are those of the last. So it changes
rows and nothing else: no file, no object outside. A time that it reads or an id that it draws is the last
run's, as are the rows that have it.
`PASSROLE_TEST_STORE=repeating` runs tests with every transaction done twice (tests/store/repeating.py).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from passrole.store.share import Share

T = TypeVar("T")
Row = tuple[Any, ...]
Listener = Callable[[str], None]

NOTICE_CHARS_MAX = 600
OWN = "own/"
"""What the names of channels begin with that are heard in the process of the commit alone."""


class Notice(NamedTuple):
    """That something about `key` has changed, for those who listen on the channel."""

    channel: str
    key: str


def notice(channel: str, key: str) -> Notice:
    """Raises ValueError where it is longer than every store carries."""
    if len(channel) + len(key) > NOTICE_CHARS_MAX:
        raise ValueError(f"a notice on `{channel}` is longer than {NOTICE_CHARS_MAX} characters")
    return Notice(channel, key)


class Tx(Protocol):
    """One open transaction. SQL is the portable subset with `?` for parameters."""

    def run(self, sql: str, *parameters: Any) -> int:
        """Execute a statement; the number of rows it changed."""

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a statement once a row."""

    def one(self, sql: str, *parameters: Any) -> Row | None:
        """The first row, if there is one."""

    def all(self, sql: str, *parameters: Any) -> list[Row]:
        """Every row."""

    def notify(self, channel: str, key: str = "") -> None:
        """Call the channel's listeners with the key, on the event loop, once this transaction is durable.

        The listeners of every process of the store are called, unless the channel is its OWN. A notice is a
        hint that rows have changed, and is lost where the transaction fails, the process dies first, or a
        connection is cut. So whoever sleeps on a channel looks at the rows at its start, and again every half
        minute or so without a notice.
        """


class Store(Protocol):
    """Where everything lives that must survive the process."""

    @property
    def share(self) -> Share:
        """What this process does of the background work."""

    async def write(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` and wait until what it wrote is on the disk.

        Killed before this returns: all of it is there, or none. After: all of it. Where too many
        transactions wait already, the caller waits too before `fn` is queued.
        """

    async def read(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` on a snapshot of what is committed; it must not write."""

    def listen(self, channel: str, listener: Listener) -> Callable[[], None]:
        """Hear `notify` on the channel from now on; call the result to stop."""

    async def close(self) -> None:
        """Finish the transactions that were asked for, and let go of the files."""
