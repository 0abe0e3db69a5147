"""Prepares the data folder for a server, and finds it in the folders above."""

import os
from collections.abc import Callable
from pathlib import Path

from passrole import private_files
from passrole.client.errors import InvalidInput
from passrole.config import Config

# Any of these makes a folder a data folder: a server's, or one that is about to be.
_FILES = ("passrole.db", "credentials.json", "config.toml")


def above() -> Path | None:
    """The data folder in the closest folder above that has one, if there is none in the working directory.

    Another user's does not count: its settings name programs that would run as us.
    """
    if Config.data.exists():
        return None
    found = (folder / Config.data for folder in Path.cwd().parents)
    return next((folder for folder in found if _is_ours(folder)), None)


def _is_ours(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.geteuid() and any((folder / name).is_file() for name in _FILES)
    except OSError:
        return False


def prepare(config: Config, warn: Callable[[str], None]) -> None:
    """Create the folder, readable only by its owner; `warn` gets what was readable by others.

    Raises InvalidInput where it cannot be written to.
    """
    try:
        private_files.make_folder(config.data, warn)
        probe = config.data / ".writable"
        probe.touch()
        probe.unlink(missing_ok=True)  # another process may check at the same moment
    except OSError as error:
        raise InvalidInput(f"the data folder `{config.data}` cannot be used: {error.strerror}") from error
