"""Copies a data folder's audit trail to the store's rows, where all servers of a database have theirs.

The file is the first record: a line is there before its call is answered. The place up to which a file is
copied is kept in the transaction that adds the lines. Killed at any moment, the next run goes on there: no
line is lost, and none is there twice. A full file is removed once all of it is copied.

It runs where the file is written, and never between two parts of a write: a line that is taken back, because
the disk was full, was not seen.
"""

from functools import partial
from pathlib import Path

from passrole.audit import files, rows
from passrole.store import Store


async def ship(store: Store, data: Path, server: str) -> None:
    """Copy every whole line that is not copied. Raises what the disk does and what the store does."""
    with files.opened(data) as found:
        for file in found:
            while await _is_more(store, file, server):
                pass
            if file.path.name == files.FULL:
                file.path.unlink(missing_ok=True)


async def _is_more(store: Store, file: files.TrailFile, server: str) -> bool:
    """Copy some lines; whether there were any."""
    place = await store.read(partial(rows.place, file=file))
    if place is None or not (lines := file.some(place.shipped)):
        return False
    await store.write(partial(rows.add, before=place, lines=lines, server=server))
    return True
