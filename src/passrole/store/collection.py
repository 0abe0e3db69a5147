"""Documents of one kind: frozen dataclasses kept as JSON under string keys.

For things that are few and found by name. What is many or hot has a table of its own.

A document below another one has the key `<parent>/<name>`, and a name below a parent has no separator. So
the parent of a key is what stands before its last separator, and `policy/team` is not the parent of
`policy/team/guard/1`. Three ways to read more than one document:

- `all`: every document of the kind;
- `within`: those below a fixed number of parts, such as account and region, whatever their names;
- `children`: those whose parent is a given key. There is no way to read by any other beginning of a key.

The last two read a page at a time: `limit` documents at most, those beyond the key `after`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import orjson

from passrole import exact_json
from passrole.store.interface import Tx

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

D = TypeVar("D", bound="DataclassInstance")

SEPARATOR = "/"
_LAST = "\U0010ffff"
_NO_LIMIT = 2**62


class Collection(Generic[D]):
    """All documents of `kind`. Fields of `type_` are JSON values; a field may be added with a default.

    `separator` stands between a parent's key and the name of a child.
    """

    def __init__(self, kind: str, type_: type[D], *, separator: str = SEPARATOR) -> None:
        self.kind = kind
        self._type = type_
        self._separator = separator

    def get(self, tx: Tx, key: str) -> D | None:
        """The document under `key`, if there is one."""
        row = tx.one("SELECT body FROM documents WHERE kind = ? AND key = ?", self.kind, key)
        return self._document(row[0]) if row else None

    def require(self, tx: Tx, key: str, refusal: Callable[[], Exception]) -> D:
        """The document under `key`. Raises what `refusal` makes where there is none."""
        document = self.get(tx, key)
        if document is None:
            raise refusal()
        return document

    def put(self, tx: Tx, key: str, document: D) -> None:
        """Store it, in place of what was there."""
        tx.run(
            "INSERT INTO documents (kind, key, body) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
            self.kind,
            key,
            exact_json.dumps(document),
        )

    def add(self, tx: Tx, key: str, document: D) -> bool:
        """Store it unless there is one already; whether it was stored."""
        sql = "INSERT INTO documents (kind, key, body) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO NOTHING"
        return tx.run(sql, self.kind, key, exact_json.dumps(document)) == 1

    def delete(self, tx: Tx, key: str) -> bool:
        """Remove it; whether it was there."""
        return tx.run("DELETE FROM documents WHERE kind = ? AND key = ?", self.kind, key) == 1

    def all(self, tx: Tx) -> list[tuple[str, D]]:
        """Every document, by key."""
        rows = tx.all("SELECT key, body FROM documents WHERE kind = ? ORDER BY key", self.kind)
        return [(key, self._document(body)) for key, body in rows]

    def keys(self, tx: Tx) -> list[str]:
        """The keys of all of them, in order."""
        rows = tx.all("SELECT key FROM documents WHERE kind = ? ORDER BY key", self.kind)
        return [key for (key,) in rows]

    def child(self, parent: str, name: str) -> str:
        """The key of a child. Raises ValueError where the name has a separator: it has another parent."""
        if self._separator in name:
            raise ValueError(f"the name {name!r} of a {self.kind} has {self._separator!r}")
        return f"{parent}{self._separator}{name}"

    def children(
        self,
        tx: Tx,
        parent: str,
        *,
        begins: str = "",
        after: str = "",
        limit: int | None = None,
        descending: bool = False,
    ) -> list[tuple[str, D]]:
        """Documents whose parent is the key `parent` itself, by key; their names begin with `begins`."""
        start = f"{parent}{self._separator}"
        only = (" AND instr(substr(key, ?), ?) = 0", len(start) + 1, self._separator)
        return self._range(tx, start + begins, after, limit, descending, only)

    def within(
        self,
        tx: Tx,
        *parts: str,
        begins: str = "",
        after: str = "",
        limit: int | None = None,
        descending: bool = False,
    ) -> list[tuple[str, D]]:
        """Documents below the parts, by key; names may hold anything, and begin with `begins`.

        Raises ValueError where a part is empty or is several.
        """
        return self._range(tx, below(*parts) + begins, after, limit, descending, ("",))

    def _range(
        self, tx: Tx, start: str, after: str, limit: int | None, descending: bool, only: tuple[Any, ...]
    ) -> list[tuple[str, D]]:
        """Documents whose keys begin with `start`; `only` is a further condition with its parameters."""
        condition, *parameters = only
        low, high = start, start + _LAST
        order, beyond, bound = ("DESC", "<", after or high) if descending else ("ASC", ">", after)
        rows = tx.all(
            "SELECT key, body FROM documents"  # noqa: S608 (constants)
            f" WHERE kind = ? AND key >= ? AND key < ? AND key {beyond} ?{condition}"
            f" ORDER BY key {order} LIMIT ?",
            self.kind, low, high, bound, *parameters, _NO_LIMIT if limit is None else limit,
        )  # fmt: skip
        return [(key, self._document(body)) for key, body in rows]

    def _document(self, body: Any) -> D:
        return self._type(**orjson.loads(body))


def below(*parts: str) -> str:
    """What the keys below the parts begin with. Raises ValueError where a part is empty or is several."""
    if not all(part and SEPARATOR not in part for part in parts):
        raise ValueError(f"not the parts of a key: {parts!r}")
    return "".join(f"{part}{SEPARATOR}" for part in parts)


def any_within(tx: Tx, kind: str, *parts: str) -> bool:
    """Whether the kind has a document below the parts."""
    start = below(*parts)
    sql = "SELECT 1 FROM documents WHERE kind = ? AND key >= ? AND key < ? LIMIT 1"
    return tx.one(sql, kind, start, start + _LAST) is not None
