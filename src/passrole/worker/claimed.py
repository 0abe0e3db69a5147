"""Work that stays on the server that began it, as its programs do: jobs, clusters of EMR, job runs.

Where several servers share a database, the first that claims a piece of work has it until it is over. That of
a server that is gone is claimed by another one, which says that it was lost: nobody can know whether its
program still runs, and so it is not begun again. A server that is started again in the folder of one that is
gone has its claims, and finds its programs. docs/decisions/0021-claims.md

A server that is alone claims nothing: all is its own.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from passrole.store import Store, Tx, claims

ASK_AGAIN_SECONDS = 15.0
"""How long to leave alone what another server has."""

KEYS_AT_ONCE = 1_000


class Claimed:
    """Claims of one kind."""

    def __init__(self, store: Store, kind: str) -> None:
        self._store = store
        self._kind = kind

    def is_ours(self, tx: Tx, key: str, lose: Callable[[], Any]) -> bool:
        """Whether the work is this server's, now and until it is released.

        What a server that is gone has begun is lost: `lose` records that in the same transaction.
        """
        share = self._store.share
        if share.is_whole:
            return True
        before = claims.holder(tx, self._kind, key)
        if not claims.claim(tx, self._kind, key, share.node):
            return False
        if before not in (None, share.node):
            lose()
        return True

    def is_still_ours(self, tx: Tx, key: str) -> bool:
        """The fence: whether what this server has done of the work counts."""
        share = self._store.share
        return share.is_whole or claims.holds(tx, self._kind, key, share.node)

    def is_anothers(self, tx: Tx, key: str) -> bool:
        """Whether another server has claimed the work, though it may be gone."""
        share = self._store.share
        return not share.is_whole and claims.holder(tx, self._kind, key) not in (None, share.node)

    def release(self, tx: Tx, key: str) -> None:
        """The work is over."""
        if not self._store.share.is_whole:
            claims.release(tx, self._kind, key, self._store.share.node)

    async def ours(self) -> list[str]:
        """The keys of what this server has claimed: at its start, what one before it in its folder had."""
        share, found, after = self._store.share, [], ""
        if share.is_whole:
            return []
        while keys := await self._store.read(partial(self._keys, after=after)):
            found += keys
            after = keys[-1]
        return found

    def _keys(self, tx: Tx, after: str) -> list[str]:
        return claims.of_node(tx, self._kind, self._store.share.node, after, KEYS_AT_ONCE)
