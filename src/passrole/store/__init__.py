"""Rows and transactions. It knows no AWS: services, history and the worker say what the rows mean.

- `Store`, `Tx`: what a store must do, and what survives a crash (interface.py)
- `SqliteStore`: one file, one writer, group commit (sqlite.py)
- `postgres.PostgresStore`: a PostgreSQL database; it needs the extra `postgres`
- `opening`: the one of these that the settings name (opening.py)
- `group_commit`: many transactions in one commit, for both (group_commit.py)
- `ReadOnlyStore`: the file, looked at while no server runs; `LookedAt`: either kind, looked at (read_only.py)
- `Collection`: documents of one kind under string keys (collection.py)
- `contents`: bytes that every server needs, by their hash, in pieces (contents.py)
- `shared_files`: the ends of files that one of several servers writes (shared_files.py)
- `claims`: which of several servers does what; postgres_node.py says which of them are there (claims.py)
- `shards`: what background work is divided into, and which node has borrowed which (shards.py)
- `Share`: what this process does of it (share.py)
- `tasks`: the durable list of background work, each with the moment from which it is due (tasks.py)
"""

from passrole.store import contents, shards, shared_files, tasks
from passrole.store.collection import Collection, any_within
from passrole.store.interface import Store, Tx
from passrole.store.migrations import UnknownSchema
from passrole.store.read_only import LookedAt, ReadOnlyStore
from passrole.store.share import Share
from passrole.store.sqlite import DataFolderInUse, SqliteStore

__all__ = [
    "Collection",
    "DataFolderInUse",
    "LookedAt",
    "ReadOnlyStore",
    "Share",
    "SqliteStore",
    "Store",
    "Tx",
    "UnknownSchema",
    "any_within",
    "contents",
    "shards",
    "shared_files",
    "tasks",
]
