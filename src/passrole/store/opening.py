"""The store that the settings name: PostgreSQL, by its URL, else the file in the data folder."""

import asyncio
import logging
import secrets
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

from passrole import disk, private_files
from passrole.config import Config
from passrole.store.interface import Store
from passrole.store.migrations import UnknownSchema
from passrole.store.read_only import LookedAt, ReadOnlyStore
from passrole.store.sqlite import FILE, SqliteStore, hold

MARK = "store"
"""The file in a data folder whose rows are in PostgreSQL; it says in which database, without the password."""

CLOCKS_SECONDS = 60.0
"""Clocks that differ by more deserve a word."""

STILL_THERE_SECONDS, AGAIN_SECONDS = 35.0, 0.5
"""How long the end of a session is waited for, more than postgres_node.GONE_SECONDS, and how often it is
asked for.
"""

_WAITS = "PostgreSQL has a session of this folder's server still, and up to %.0f s to end it: waiting"
_NAME = "node"
log = logging.getLogger(__name__)


class StoreUnusable(Exception):
    """The store cannot be used; the message says why, and what to do. It has no password."""


class StillThere(StoreUnusable):
    """PostgreSQL has a session of a server of this folder, or of one from which it was copied."""


async def joined(config: Config) -> Store:
    """The store for one server of several, once PostgreSQL has ended the session of the one before in the
    folder. Raises what `opened` raises.
    """
    until, is_told = time.monotonic() + STILL_THERE_SECONDS, False
    while True:
        try:
            return opened(config, is_shared=True)
        except StillThere:
            if time.monotonic() >= until:
                raise
        if not is_told:
            log.warning(_WAITS, STILL_THERE_SECONDS)
            is_told = True
        await asyncio.sleep(AGAIN_SECONDS)


def opened(config: Config, *, is_shared: bool = False, is_durable: bool = True) -> Store:
    """The store for a server: one on PostgreSQL beside others if it `is_shared`, else alone.

    Raises DataFolderInUse, StoreUnusable, and of the folder's own file what the disk does. `is_durable=False`
    is fit for tests alone.
    """
    check_folder(config)
    if not config.store:
        return SqliteStore(config.data, is_durable=is_durable)
    postgres = driver()
    from passrole.store.postgres_node import NameTaken, Refused  # it needs the extra, too

    private_files.make_folder(config.data, log.warning)
    folder = hold(config.data)
    try:
        shared = postgres.PostgresStore(
            config.store,
            is_shared=is_shared,
            name=_name(config.data),
            objects=config.s3_endpoint or f"the folder of {_name(config.data)}",
            folder=folder,
        )
    except (ConnectionError, UnknownSchema, postgres.DatabaseInUse, Refused) as error:
        folder.close()
        unusable = StillThere if isinstance(error, NameTaken) else StoreUnusable
        raise unusable(str(error)) from None
    mark(config.data, config.store)
    _compare_clocks(shared.clock())
    store: Store = shared
    return store


def _compare_clocks(of_database: float) -> None:
    """Sessions end by the database's clock, and clients sign and renew them by theirs."""
    ahead = of_database - time.time()
    if abs(ahead) > CLOCKS_SECONDS:
        log.warning(
            "the clock of PostgreSQL's machine is %.0f s %s this one's: set one of them right",
            *(abs(ahead), "ahead of" if ahead > 0 else "behind"),
        )


def looked_at(config: Config) -> LookedAt:
    """The store for whoever only reads. Raises StoreUnusable, and what the disk does."""
    check_folder(config)
    if not config.store:
        return ReadOnlyStore(config.data)
    try:
        store: LookedAt = driver().ReadOnlyPostgresStore(config.store)
    except (ConnectionError, UnknownSchema) as error:
        raise StoreUnusable(str(error)) from None
    return store


@contextmanager
def looking(config: Config) -> Iterator[LookedAt | None]:
    """The same for a block; None where the folder has no database yet. Raises StoreUnusable."""
    check_folder(config)
    if not config.store and not (config.data / FILE).exists():
        yield None
        return
    try:
        store = looked_at(config)
    except (sqlite3.Error, UnknownSchema) as error:
        raise StoreUnusable(problem(error)) from None
    try:
        yield store
    finally:
        store.close_now()


def check_folder(config: Config) -> None:
    """A folder goes on with the rows that it has, and shows no others by mistake. Raises StoreUnusable."""
    if config.store and (config.data / FILE).exists() and elsewhere(config.data):
        raise StoreUnusable(
            f"a migration of `{config.data}` was broken off: do the same again, with `passrole migrate`"
        )
    if config.store and (config.data / FILE).exists():
        raise StoreUnusable(
            f"`{config.data}` has rows of its own, in `{FILE}`, which nobody would see: name another folder"
        )
    if not config.store and (where := elsewhere(config.data)):
        raise StoreUnusable(
            f"the rows of `{config.data}` are in {where}: name it, by `serve --store` or PASSROLE_STORE"
        )


def check_reached(url: str) -> None:
    """Ask a PostgreSQL database something, whatever it has. Raises StoreUnusable."""
    try:
        driver().connect(url).close()
    except ConnectionError as error:
        raise StoreUnusable(str(error)) from None


def mark(folder: Path, url: str) -> None:
    """Note that the folder's rows are in the database."""
    private_files.write(folder / MARK, f"{place(url)}\n".encode())


def place(url: str) -> str:
    """Where a database is, without the user's name and the password."""
    parts = urlsplit(url)
    service = parse_qs(parts.query).get("service", [])
    named = f"?service={service[0]}" if service else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{named}"


def problem(error: Exception) -> str:
    """What is wrong with the disk or the database, in one line."""
    if isinstance(error, IsADirectoryError | NotADirectoryError):
        return f"`{error.filename2 or error.filename}`: {error.strerror}"
    return disk.problem(error) or str(error)


def _name(folder: Path) -> str:
    """The folder's name among servers of one database, made once: the host's, and something random."""
    try:
        return (folder / _NAME).read_text().strip()
    except FileNotFoundError:
        name = f"{socket.gethostname()}-{secrets.token_hex(4)}"
        private_files.write(folder / _NAME, f"{name}\n".encode())
        return name


DISK_ERRORS = (OSError, sqlite3.Error, UnknownSchema)


def elsewhere(folder: Path) -> str:
    """The database that has the folder's rows; empty where its own file has them."""
    try:
        return (folder / MARK).read_text().strip()
    except FileNotFoundError:
        return ""


def driver() -> ModuleType:
    """`store.postgres`, which needs the extra. Raises StoreUnusable."""
    try:
        from passrole.store import postgres
    except ModuleNotFoundError as error:
        if error.name != "psycopg":
            raise
        raise StoreUnusable(
            "a store on PostgreSQL needs the package `psycopg`; "
            "install it with `pip install 'passrole[postgres]'`"
        ) from None
    except ImportError as error:  # psycopg without libpq
        raise StoreUnusable(
            f"psycopg cannot be used: {' '.join(str(error).split())}; "
            "install it with `pip install 'passrole[postgres]'`"
        ) from None
    return postgres
