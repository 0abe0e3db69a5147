"""Deletes what a killed server left in `.work`: temporary files, and parts of no upload.

At the start no write is under way, so that a file which no row names is nobody's.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from passrole import trees
from passrole.config import Config
from passrole.services.s3.multipart_uploads import UPLOADS, parts_of
from passrole.store import Store, Tx


async def sweep(store: Store, config: Config) -> None:
    """Remove them, before the first call. What cannot be removed stays."""
    parts = await store.read(_parts)
    await asyncio.to_thread(_remove, config.data / "s3" / ".work", parts)


def _parts(tx: Tx) -> dict[str, frozenset[str]]:
    """By upload, the names of its files."""
    return {
        upload.id: frozenset(part.file for part in parts_of(tx, upload.id)) for _, upload in UPLOADS.all(tx)
    }


def _remove(work: Path, parts: Mapping[str, frozenset[str]]) -> None:
    for found in trees.entries(work):
        if found.name not in parts:
            trees.discard(found)
            continue
        for file in trees.entries(found):
            if file.name not in parts[found.name]:
                trees.discard(file)
