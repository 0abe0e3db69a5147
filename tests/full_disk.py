"""A server whose disk is full, as far as its audit trail shows it: the file may not grow."""

import contextlib
import resource
from collections.abc import Iterator

import pytest
from tests.conftest import Server

from passrole.audit.files import CURRENT

LEFT_BYTES = 20
"""Too few for a line."""


@contextlib.contextmanager
def full_disk(server: Server) -> Iterator[None]:
    """For the block."""
    if not hasattr(resource, "prlimit"):
        pytest.skip("another process's limits are Linux's")
    pid, size = server.process.pid, (server.data / CURRENT).stat().st_size
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + LEFT_BYTES, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
