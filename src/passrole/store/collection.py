"""Documents of one kind: frozen dataclasses kept as JSON under string keys.

For things that are few and found by name. What is many or hot has a table of its own.
"""

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import orjson

from passrole.store.interface import Tx

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

D = TypeVar("D", bound="DataclassInstance")


class Collection(Generic[D]):
    """All documents of `kind`. Fields of `type_` are JSON values; a field may be added with a default."""

    def __init__(self, kind: str, type_: type[D]) -> None:
        self.kind = kind
        self._type = type_

    def get(self, tx: Tx, key: str) -> D | None:
        """The document under `key`, if there is one."""
        row = tx.one("SELECT body FROM documents WHERE kind = ? AND key = ?", self.kind, key)
        return self._document(row[0]) if row else None

    def put(self, tx: Tx, key: str, document: D) -> None:
        """Store it, in place of what was there."""
        tx.run(
            "INSERT INTO documents (kind, key, body) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
            self.kind,
            key,
            orjson.dumps(document),
        )

    def add(self, tx: Tx, key: str, document: D) -> bool:
        """Store it unless there is one already; whether it was stored."""
        sql = "INSERT INTO documents (kind, key, body) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO NOTHING"
        return tx.run(sql, self.kind, key, orjson.dumps(document)) == 1

    def delete(self, tx: Tx, key: str) -> bool:
        """Remove it; whether it was there."""
        return tx.run("DELETE FROM documents WHERE kind = ? AND key = ?", self.kind, key) == 1

    def items(
        self, tx: Tx, prefix: str = "", *, after: str = "", limit: int | None = None
    ) -> list[tuple[str, D]]:
        """Documents whose key begins with `prefix`, by key, `limit` at most, those beyond `after`."""
        rows = tx.all(
            "SELECT key, body FROM documents"
            " WHERE kind = ? AND key >= ? AND key < ? AND key > ? ORDER BY key LIMIT ?",
            self.kind,
            prefix,
            prefix + "\U0010ffff",
            after,
            -1 if limit is None else limit,
        )
        return [(key, self._document(body)) for key, body in rows]

    def _document(self, body: Any) -> D:
        return self._type(**orjson.loads(body))
