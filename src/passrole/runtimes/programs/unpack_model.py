"""Unpacks model.tar.gz into a folder. No archive can write anywhere else.

    python unpack_model.py ARCHIVE FOLDER

An archive comes from S3 and may be hostile. A member that would lie outside of the folder, a link out of it,
a device, and an archive that unpacks to far more than any model does are refused: the exit code is 1 and the
reason is printed. passrole runs this as a process of its own, whose memory is limited, because a member's
header can ask a reader for any amount.
"""

import gzip
import importlib
import sys
import tarfile
import zlib
from pathlib import Path

ENTRIES_MAX = 100_000
BYTES_MAX_ALWAYS = 1 << 30
RATIO_MAX = 100
"""An archive may unpack to 1 GiB, a larger one to a hundred times its size. Weights are rarely a tenth
smaller when they are packed; nothing but zeros, a thousand times.
"""


class BadArchive(Exception):
    """The archive is refused; the message says why."""


def unpack(archive: Path, folder: Path) -> None:
    """Raises BadArchive, OSError."""
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    script_mode = importlib.import_module("script_mode")
    inside = folder.resolve()
    left = max(BYTES_MAX_ALWAYS, RATIO_MAX * archive.stat().st_size)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for number, member in enumerate(tar):
                left -= member.size
                reason = script_mode.why_refused(member, inside)
                if reason:
                    raise BadArchive(f"{member.name!r} {reason}")
                if left < 0 or number >= ENTRIES_MAX:
                    raise BadArchive("it unpacks to far more than a model has")
                script_mode.extract(tar, member, inside)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise BadArchive(f"it cannot be unpacked: {error}") from error


def main(arguments: "list[str]") -> int:
    """The exit code."""
    try:
        unpack(*map(Path, arguments))
    except BadArchive as error:
        sys.stdout.write(f"{error}\n")
        return 1
    except MemoryError:
        sys.stdout.write("it has a header that no archive needs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
