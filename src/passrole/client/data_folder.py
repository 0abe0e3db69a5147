"""Prepares the data folder for a server."""

from collections.abc import Callable

from passrole import private_files
from passrole.client.errors import InvalidInput
from passrole.config import Config


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
