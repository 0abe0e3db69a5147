"""The store that the settings name: PostgreSQL, by its URL, else the file in the data folder."""

import sqlite3
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
from passrole.store.sqlite import FILE, SqliteStore

MARK = "store"
"""The file in a data folder whose rows are in PostgreSQL; it says in which database, without the password."""


class StoreUnusable(Exception):
    """The store cannot be used; the message says why, and what to do. It has no password."""


def opened(config: Config, *, is_durable: bool = True) -> Store:
    """The store for a server, which no other can open. Raises DataFolderInUse, StoreUnusable.

    Of the folder's own file it raises what the disk does, too. `is_durable=False` is fit for tests alone.
    """
    _check_folder(config)
    if not config.store:
        return SqliteStore(config.data, is_durable=is_durable)
    postgres = driver()
    try:
        store: Store = postgres.PostgresStore(config.store)
    except (ConnectionError, UnknownSchema, postgres.DatabaseInUse) as error:
        raise StoreUnusable(str(error)) from None
    mark(config.data, config.store)
    return store


def looked_at(config: Config) -> LookedAt:
    """The store for whoever only reads. Raises StoreUnusable, and what the disk does."""
    _check_folder(config)
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
    _check_folder(config)
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


DISK_ERRORS = (OSError, sqlite3.Error, UnknownSchema)


def _check_folder(config: Config) -> None:
    """A folder goes on with the rows that it has, and shows no others by mistake. Raises StoreUnusable."""
    if config.store and (config.data / FILE).exists():
        raise StoreUnusable(
            f"`{config.data}` has rows of its own, in `{FILE}`, which nobody would see: name another folder"
        )
    if not config.store and (where := elsewhere(config.data)):
        raise StoreUnusable(
            f"the rows of `{config.data}` are in {where}: name it, by `serve --store` or PASSROLE_STORE"
        )


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
