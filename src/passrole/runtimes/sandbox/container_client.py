"""Runs a container in place of a sandbox: `python -I -S container_client.py REQUEST PROGRAM...`.

A container is no child of whoever asks for it, and would go on. So a guard in a session of its own removes it
when this program ends before it, also by SIGKILL. It imports nothing of passrole. REQUEST is JSON:

    engine       the program of the engine
    environment  what the engine's program needs
    image        the name of an image that has nothing but `folders` and `links`, made where it is missing
    folders      their paths
    links        path and where it leads to, of each
    name         the container's
    options      what `run` gets, before the image
"""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

_SIGNALLED = 128
_REMOVALS = 3
"""How often the guard removes it: a container whose client was killed may still be in the making."""


def main() -> int:
    """The exit code of the program in the container."""
    request = json.loads(sys.argv[1])
    _have_image(request)
    ended = _guard(request)
    command = [
        *_tie(),
        *(request["engine"], "run", "--rm", "--interactive", "--name", request["name"]),
        *request["options"],
        *("--entrypoint", "/usr/bin/env", request["image"], "-i", *_given(), *_joined(), *sys.argv[2:]),
    ]
    code = subprocess.run(command, env=request["environment"], check=False).returncode  # noqa: S603
    if code >= 0:  # else the container is not known to have ended
        os.write(ended, b"ended")
    return _SIGNALLED - code if code < 0 else code


def _have_image(request: dict[str, Any]) -> None:
    def ask(*words: str, given: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
        command = [request["engine"], *words]
        return subprocess.run(  # noqa: S603 (the engine that the server found)
            command, input=given, capture_output=True, env=request["environment"], check=False
        )

    if ask("image", "inspect", request["image"]).returncode != 0:
        done = ask("import", "-", request["image"], given=_archive(request["folders"], request["links"]))
        if done.returncode != 0:
            sys.exit(f"sandbox: {done.stderr.decode(errors='replace').strip()}")


def _archive(folders: list[str], links: list[tuple[str, str]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in folders:
            member = tarfile.TarInfo(path.lstrip("/"))
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(member)
        for path, to in links:
            member = tarfile.TarInfo(path.lstrip("/"))
            member.type, member.linkname = tarfile.SYMTYPE, to
            archive.addfile(member)
    return buffer.getvalue()


def _guard(request: dict[str, Any]) -> int:
    """Start it; where to write once the container has ended."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(read)
        os.waitpid(child, 0)
        return write
    os.close(write)
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        if not os.read(read, 1):
            _remove(request)
    os._exit(0)


def _remove(request: dict[str, Any]) -> None:
    for seconds in range(_REMOVALS):
        time.sleep(seconds)
        command = [request["engine"], "rm", "--force", request["name"]]
        subprocess.run(command, env=request["environment"], check=False)  # noqa: S603


def _joined() -> list[str]:
    """Errors that go where the output goes are joined to it inside, as engines do not keep their order."""
    return ["/bin/sh", "-c", 'exec "$@" 2>&1', "sh"] if os.path.sameopenfile(1, 2) else []


def _tie() -> list[str]:
    """What makes the engine's program end with this one, where this one is to end with its parent."""
    return ["setpriv", "--pdeathsig", "KILL", "--"]


def _given() -> list[str]:
    """The environment with which this program was started; Python itself adds to it."""
    return [os.fsdecode(each) for each in Path("/proc/self/environ").read_bytes().split(b"\0") if each]


if __name__ == "__main__":
    sys.exit(main())
