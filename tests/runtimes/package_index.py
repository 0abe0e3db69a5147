"""Packages over http for pip, which sees no folder of a test in a sandbox."""

import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def wheel(folder: Path, name: str, version: str, source: str) -> Path:
    """A package of one module."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", source)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(
            f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
        )
    return path


class Index:
    """What was asked for, and whether answers are given: a held one waits for `open` to be set."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []
        self.open = threading.Event()
        self.open.set()
        self.variables: dict[str, str] = {}

    @contextmanager
    def served(self) -> Iterator["Index"]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        self.variables = {"PIP_FIND_LINKS": url, "PIP_NO_INDEX": "1", "PIP_RETRIES": "0"}
        try:
            yield self
        finally:
            self.open.set()
            server.shutdown()
            server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, index: Index, *given: object) -> None:
        self._index = index
        super().__init__(*given, directory=str(index.folder))  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._index.asked.append(self.path)
        self._index.open.wait(60)
        super().do_GET()

    def log_message(self, *given: object) -> None:
        """Nothing."""
