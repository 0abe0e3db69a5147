"""An open page hears of changes, and only of its own."""

import socket
from urllib.parse import urlsplit

from tests.console.conftest import Console, Wait


def test_a_stream_tells_of_a_change_of_its_execution(console: Console, wait: Wait) -> None:
    watched, other = wait(), wait()
    browser = console.browser()
    at = urlsplit(console.url)
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    with socket.create_connection((at.hostname, at.port), timeout=30) as stream:
        stream.sendall(
            f"GET /events?of={watched.id} HTTP/1.1\r\nHost: {at.netloc}\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        lines = stream.makefile("rb")
        while b"retry:" not in lines.readline():
            pass
        browser.post(f"/approvals/callbacks/{other.id}/Review/1", {"decision": "approve"})
        browser.post(f"/approvals/callbacks/{watched.id}/Review/1", {"decision": "approve"})
        seen = b""
        while b"data: changed" not in seen:
            seen += lines.readline()
        assert seen.count(b"data:") == 1
