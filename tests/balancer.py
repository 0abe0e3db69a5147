"""HAProxy with the settings of the example, before servers of a test."""

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.conftest import Server
from tests.eventually import eventually

EXAMPLE = Path(__file__).parents[1] / "deploy/compose/haproxy.cfg"


@contextlib.contextmanager
def balanced(nodes: Sequence[Server], folder: Path) -> Iterator[str]:
    """The URL of HAProxy with the example's settings and these servers."""
    if shutil.which("haproxy") is None:
        pytest.skip("no haproxy here")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = EXAMPLE.read_text().partition("\ndefaults\n")[2]  # without `user`, whom only root can become
    text = settings.partition("    server node-1")[0].replace("bind :4566", f"bind {address}")
    lines = [f"    server n{number} {node.url.partition('//')[2]}" for number, node in enumerate(nodes)]
    (folder / "haproxy.cfg").write_text("\n".join(("defaults", text, *lines, "")))
    with subprocess.Popen(["haproxy", "-db", "-q", "-f", str(folder / "haproxy.cfg")]) as process:
        try:
            eventually(lambda: _answers(address))
            yield f"http://{address}"
        finally:
            process.kill()


def _answers(address: str) -> bool:
    host, _, port = address.partition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port))):
        return True
    return False
