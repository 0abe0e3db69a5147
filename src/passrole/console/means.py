"""What the console needs of the server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from passrole.api import Door
from passrole.clock import Clock
from passrole.config import Config
from passrole.identities import Directory
from passrole.store import Store


class NotInstalled(Exception):
    """A package of the extra `console` is missing; the message names it."""


@dataclass(frozen=True)
class Means:
    """The door for calls, the directory and the store for sessions; `port` is the console's own.

    `running` says of each loop of background work, by its name, whether it runs.
    """

    door: Door
    directory: Directory
    store: Store
    clock: Clock
    config: Config
    port: int
    running: Callable[[], Mapping[str, bool]]
