"""Why a step failed, read off what it wrote: AWS's FailureDetails."""

from collections.abc import Iterator
from pathlib import Path

UNKNOWN = "Unknown Error"
TAIL_BYTES = 65_536
MESSAGE_MAX = 512

_OF_JAVA = "Py4JJavaError: "


def explain(folder: Path, problem: str | None, where: str | None) -> dict[str, str]:
    """Reason, Message and LogFile of a failure. `problem` is what kept the program from running, if anything
    did; `where` the folder in S3 that has its logs.

    spark-submit writes what a Python program says of its end to standard output, so both streams are read.
    """
    stream, error = next(
        ((name, found) for name in ("stderr", "stdout") if (found := _last_error(folder / name))),
        ("stderr", None),
    )
    message = problem or error or _last_line(folder / "stderr")
    return {
        "Reason": problem or error or UNKNOWN,
        **({"Message": message[:MESSAGE_MAX]} if message else {}),
        **({"LogFile": f"{where}/{stream}.gz"} if where else {}),
    }


def _last_error(path: Path) -> str | None:
    """The last line that names an exception, such as `ValueError: no rows`.

    What PySpark raises of Java's says which one in the next line, behind a colon.
    """
    cause = ""
    for line in _lines_backwards(path):
        if _is_error(line):
            return f"{line}{cause}" if _OF_JAVA in line else line
        cause = line if line.startswith(": ") else cause
    return None


def _last_line(path: Path) -> str | None:
    return next(_lines_backwards(path), None)


def _is_error(line: str) -> bool:
    """Whether the line begins with an exception's name, in Python's way or in Java's."""
    name, colon, _ = line.removeprefix('Exception in thread "main" ').partition(":")
    word = name.rpartition(".")[2]
    return bool(colon) and word.isidentifier() and word.endswith(("Error", "Exception", "Exit", "Interrupt"))


def _lines_backwards(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return
    for line in reversed(text.splitlines()):
        if line.strip():
            yield line.strip()
