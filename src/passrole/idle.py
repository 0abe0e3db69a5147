"""The parts of a server in which nothing works in the background: calls are answered, and that is all.

A data folder on which no server runs is read so, and a server of S3 alone needs no more.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from passrole.api import Door
from passrole.audit import Audit, Unrecorded
from passrole.clock import Clock, SteadyClock
from passrole.config import Config
from passrole.gateway import Gateway
from passrole.identities import Directory
from passrole.runtimes.at_rest import FunctionsAtRest
from passrole.services.program_credentials import ProgramCredentials
from passrole.services.s3 import upstream
from passrole.store import Store


class Idle(NamedTuple):
    """What answers calls."""

    gateway: Gateway
    door: Door
    directory: Directory


@asynccontextmanager
async def answering(
    store: Store, config: Config, clock: Clock, audit: Audit | Unrecorded
) -> AsyncIterator[Idle]:
    """The parts, wired; they are closed at the end, the store is not."""
    directory = Directory(store, clock, config)
    door = Door(
        store=store,
        directory=directory,
        functions=FunctionsAtRest(),
        audit=audit,
        clock=clock,
        steady=SteadyClock(clock),
        config=config,
        upstreams=upstream.of_services(config),
    )
    credentials = ProgramCredentials(store, door.from_inside, {})
    try:
        yield Idle(Gateway(door, directory, credentials, clock, config), door, directory)
    finally:
        directory.close()
        if isinstance(audit, Audit):
            audit.close()
