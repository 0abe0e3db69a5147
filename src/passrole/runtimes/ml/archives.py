"""Unpacks archives of models by a process of its own (programs/unpack_model.py), whose memory is limited."""

import asyncio
import contextlib
import sys
from pathlib import Path

from passrole.runtimes import programs
from passrole.runtimes.sandbox import OUTSIDE

MEMORY_KB_MAX = 1024 * 1024
_PROGRAM = Path(programs.__file__).with_name("unpack_model.py")
_LIMITED = 'ulimit -v "$0" 2>/dev/null; exec "$@"'
_NAMES_REASON = 1


class BadArchive(Exception):
    """The archive is refused; the message says why."""


async def unpack(archive: Path, folder: Path) -> None:
    """Unpack model.tar.gz into a folder that exists. What is refused may be there in part.

    Raises BadArchive; OSError where the disk refuses it.
    """
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", _LIMITED, str(MEMORY_KB_MAX)),
        *(sys.executable, "-I", str(_PROGRAM), str(archive), str(folder)),
        env=OUTSIDE,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        said, errors = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode == 0:
        return
    reason = said.decode(errors="replace").strip()
    if process.returncode == _NAMES_REASON and reason:
        raise BadArchive(reason)
    last = errors.decode(errors="replace").strip().splitlines()[-1:]
    raise OSError(None, f"the archive was not unpacked: {(last or ['it was killed'])[0]}")
