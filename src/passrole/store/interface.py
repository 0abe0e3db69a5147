"""What every store does. Few methods, each saying what a crash before and after it means.

A transaction is a plain function `fn(tx)`: no awaiting inside, so that one writer can run many in
one commit. Its result, or the exception that it raised, comes back to the one who awaits; an
exception undoes what that function wrote and nothing else.

**It may run again**, as after a conflict with another node; then nothing is left of the run before, and the
result and the notices are those of the last. So it changes rows and nothing else: no file, no object outside.
A time that it reads or an id that it draws is the last run's, as are the rows that have it.
`PASSROLE_TEST_STORE=repeating` runs tests with every transaction done twice (tests/store/repeating.py).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Row = tuple[Any, ...]
Listener = Callable[[Any], None]


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

    def notify(self, channel: str, payload: Any = None) -> None:
        """Call the channel's listeners on the event loop once this transaction is durable.

        Nothing is delivered if the transaction fails or the process dies first: a listener is a
        wake-up, and whoever sleeps on a channel looks at the rows when it starts.
        """


class Store(Protocol):
    """Where everything lives that must survive the process."""

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
