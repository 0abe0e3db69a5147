"""What follows from settings."""

import pytest

from passrole.config import Config


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:4566"),
        ("localhost", "http://localhost:4566"),
        ("::1", "http://[::1]:4566"),
        ("::", "http://[::]:4566"),
    ],
)
def test_an_ipv6_address_is_in_brackets_in_the_url(host: str, url: str) -> None:
    assert Config(host=host).endpoint_url == url
