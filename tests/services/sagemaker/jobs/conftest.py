"""A workshop for jobs, one for a module."""

import pytest
from tests.conftest import Server
from tests.services.sagemaker.jobs.workshop import Workshop


@pytest.fixture(scope="module")
def workshop(server: Server, sandboxed: None) -> Workshop:
    """On the session's server."""
    return Workshop(server)
