"""Definition texts, each kept once under its digest, and the pipelines that were parsed from them.

Knows nothing of what is in a definition. Owners share a text that they have in common; it goes with
the last of them.
"""

import hashlib
from collections.abc import Container, Iterable
from dataclasses import dataclass

from passrole.definition import DefinitionError, Pipeline, parse_stored
from passrole.history.recent import Recent
from passrole.store import Collection, Tx


@dataclass(frozen=True)
class Use:
    """A document of the store: `owner`, a pipeline's ARN, keeps a text."""

    owner: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A text that was parsed, by its digest; `size` is the length of the text in bytes."""

    digest: str
    pipeline: Pipeline
    size: int


_USES = Collection("definition_use", Use)
_TEXT_BYTES_MAX = 4_000_000  # parsed, a text takes about eight times its length
_parsed_ones: Recent[Definition] = Recent(_TEXT_BYTES_MAX)


def parsed(text: str, stubbed: Container[str] = ()) -> Pipeline:
    """The pipeline that `text` newly defines; steps that are `stubbed` may be of any type.

    Raises DefinitionError.
    """
    pipeline = _parsed(_digest(text), text).pipeline
    refused = pipeline.refused(stubbed)
    if refused:
        raise DefinitionError(refused)
    return pipeline


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


def remove_unused(tx: Tx, digests: Iterable[str]) -> None:
    """Remove those texts that no owner and no execution keeps."""
    for digest in set(digests):
        if not _USES.within(tx, digest, limit=1) and not _any_execution(tx, digest):
            tx.run("DELETE FROM definitions WHERE digest = ?", digest)


def text_of(tx: Tx, digest: str) -> str:
    """The text that was kept under the digest."""
    row = tx.one("SELECT text FROM definitions WHERE digest = ?", digest)
    assert row is not None, "a definition is kept before anything points to it"
    return str(row[0])


def pipeline_of(tx: Tx, digest: str) -> Pipeline:
    """The pipeline of a text that was kept."""
    return find(tx, digest).pipeline


def find(tx: Tx, digest: str) -> Definition:
    """A text that was kept, parsed."""
    return _parsed_ones.get(digest) or _parsed(digest, text_of(tx, digest))


def _any_execution(tx: Tx, digest: str) -> bool:
    return tx.one("SELECT 1 FROM executions WHERE definition = ? LIMIT 1", digest) is not None


def _use(digest: str, owner: str) -> str:
    return f"{digest}/{owner}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _parsed(digest: str, text: str) -> Definition:
    found = _parsed_ones.get(digest)
    if found is None:
        found = Definition(digest, parse_stored(text), len(text))
        _parsed_ones.put(digest, found, found.size)
    return found
