"""Packs a folder as a zip archive for Lambda: the same files give the same bytes.

Knows no AWS client.
"""

import base64
import hashlib
import io
import zipfile
from pathlib import Path
from typing import NamedTuple

from passrole.client.errors import InvalidInput

_LEFT_OUT = frozenset({"__pycache__", ".git", ".venv", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time in the zip format
_MODE = 0o644 << 16


class Source(NamedTuple):
    """A function's code: every file under `folder`; `handler` is `module.function`."""

    name: str
    folder: Path
    handler: str


def read_source(text: str) -> Source:
    """The parts of NAME=FOLDER:HANDLER. Raises InvalidInput if folder or handler does not exist."""
    name, equals, rest = text.partition("=")
    folder, colon, handler = rest.rpartition(":")
    module, dot, attribute = handler.rpartition(".")
    if not (name and equals and folder and colon and module and dot and attribute):
        raise InvalidInput(f"`{text}` is not NAME=FOLDER:HANDLER with a handler such as `app.handler`")
    path = Path(folder)
    if not path.is_dir():
        raise InvalidInput(f"the folder `{folder}` of function `{name}` does not exist")
    file = path / module.replace(".", "/")
    if not (file.with_name(f"{file.name}.py").is_file() or file.is_dir()):
        raise InvalidInput(f"`{folder}` has no `{module.replace('.', '/')}.py` for the handler `{handler}`")
    return Source(name, path, handler)


def archive(folder: Path) -> bytes:
    """The zip; names sorted and times left out, so that unchanged code has an unchanged hash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder)
            if path.is_file() and not _LEFT_OUT.intersection(relative.parts):
                entry = zipfile.ZipInfo(relative.as_posix(), _EPOCH)
                entry.external_attr = _MODE
                entry.compress_type = zipfile.ZIP_DEFLATED
                target.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def code_sha256(zipped: bytes) -> str:
    """The hash as Lambda's CodeSha256 spells it."""
    return base64.b64encode(hashlib.sha256(zipped).digest()).decode()
