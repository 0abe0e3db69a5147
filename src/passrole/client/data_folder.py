"""The data folder, made ready for a server."""

from collections.abc import Callable

from passrole import private_files
from passrole.client.errors import InvalidInput
from passrole.config import Config


def prepare(config: Config, warn: Callable[[str], None]) -> None:
    """Make the folder, for its owner alone; `warn` is told what was open to others.

    Raises InvalidInput where it cannot be written to.
    """
    try:
        private_files.make_folder(config.data, warn)
        probe = config.data / ".writable"
        probe.touch()
        probe.unlink(missing_ok=True)  # another process may look at the same moment
    except OSError as error:
        raise InvalidInput(f"the data folder `{config.data}` cannot be used: {error.strerror}") from error
