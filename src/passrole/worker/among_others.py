"""What a server does where several share a database: it has a part of the work, and hands it over."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from passrole.clock import Clock, system_clock
from passrole.store import Store
from passrole.worker.supervisor import Supervisor


def clock_of(store: Store) -> Clock:
    """By which times in rows go: the database's where several servers share it."""
    if store.share.is_whole:
        return system_clock
    from passrole.store.postgres import PostgresStore  # it needs the extra

    assert isinstance(store, PostgresStore), "no other store is shared"
    return store.clock


@asynccontextmanager
async def among_others(store: Store, check: Callable[[], None]) -> AsyncIterator[None]:
    """Borrow a part of the background work; at the end others have it. A server that is alone has all.

    `check` raises OSError where no call can be answered here, because of the disk; then others have it, too.
    """
    if store.share.is_whole:
        yield
        return
    from passrole.store.postgres import PostgresStore  # both need the extra
    from passrole.worker.nodes import Nodes

    assert isinstance(store, PostgresStore), "no other store is shared"
    nodes, supervisor = Nodes(store, check), Supervisor()
    nodes.start(supervisor)
    try:
        yield
    finally:
        await nodes.close()
        await supervisor.close()
