"""Definition texts, each kept once under its digest, and the pipelines that were parsed from them.

Knows nothing of what is in a definition. Owners share a text that they have in common; it goes with
the last of them.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from passrole.definition import Pipeline, parse
from passrole.history.recent import Recent
from passrole.store import Collection, Tx


@dataclass(frozen=True)
class Use:
    """A document of the store: `owner`, a pipeline's ARN, keeps a text."""

    owner: str


_USES = Collection("definition_use", Use)
_PIPELINES_MAX = 64
_pipelines: Recent[Pipeline] = Recent(_PIPELINES_MAX)


def parsed(text: str) -> Pipeline:
    """The pipeline that `text` defines. Raises DefinitionError."""
    return _parsed(_digest(text), text)


def keep(tx: Tx, text: str, *, owner: str | None = None) -> str:
    """Store the text unless it is there; its digest. `owner` is whoever will `let_go` of it."""
    digest = _digest(text)
    if owner is not None:
        _USES.put(tx, _use(digest, owner), Use(owner))
    tx.run("INSERT INTO definitions (digest, text) VALUES (?, ?) ON CONFLICT DO NOTHING", digest, text)
    return digest


def let_go(tx: Tx, digests: Iterable[str], owner: str) -> None:
    """Remove those texts that no other owner keeps."""
    for digest in set(digests):
        _USES.delete(tx, _use(digest, owner))
        if not _USES.within(tx, digest, limit=1):
            tx.run("DELETE FROM definitions WHERE digest = ?", digest)


def text_of(tx: Tx, digest: str) -> str:
    """The text that was kept under the digest."""
    row = tx.one("SELECT text FROM definitions WHERE digest = ?", digest)
    assert row is not None, "a definition is kept before anything points to it"
    return str(row[0])


def pipeline_of(tx: Tx, digest: str) -> Pipeline:
    """The pipeline of a text that was kept."""
    return _pipelines.get(digest) or _parsed(digest, text_of(tx, digest))


def _use(digest: str, owner: str) -> str:
    return f"{digest}/{owner}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _parsed(digest: str, text: str) -> Pipeline:
    pipeline = _pipelines.get(digest)
    if pipeline is None:
        pipeline = parse(text)
        _pipelines.put(digest, pipeline)
    return pipeline
