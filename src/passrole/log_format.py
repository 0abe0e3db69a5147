"""Escapes control characters and line separators, so that no caller can forge a line of the log, of the audit
trail or of a terminal.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final

import orjson

_SECOND = "%Y-%m-%d %H:%M:%S"
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# The last ones change the text direction: https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
# The same in UTF-8, as far as a JSON writer leaves them.
_CONTROL_BYTES = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]")


class OneLine(logging.Formatter):
    """A record is one line; a traceback follows indented, so that none of its lines looks like a record."""

    def __init__(self) -> None:
        super().__init__(_FORMAT)
        self._written = (-1, "")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 (the same)
        """Local time to the millisecond, of which all but that is written once a second."""
        written = self._written
        if written[0] != int(record.created):
            written = self._written = int(record.created), super().formatTime(record, datefmt or _SECOND)
        return f"{written[1]},{int(record.msecs):03}"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """The first line."""
        return escaped(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 (logging's name)
        """The traceback."""
        return _indented(super().formatException(ei))  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 (logging's name)
        """The stack."""
        return _indented(stack_info)


_about: ContextVar[Mapping[str, str] | None] = ContextVar("about", default=None)


class about:  # noqa: N801 (it is used as contextlib's functions are, whose generators cost each call more)
    """What is logged within the block is about this `request_id` or `execution`; JsonLines says so."""

    def __init__(self, **members: str) -> None:
        self._members = members

    def __enter__(self) -> None:
        self._token = _about.set({**(_about.get() or {}), **self._members})

    def __exit__(self, *_: object) -> None:
        _about.reset(self._token)


class JsonLines(logging.Formatter):
    """A record is one JSON object: `time`, `level`, `logger`, `message`, the `request_id` and `execution`
    that it is about, where they are known, and the members of what it tells.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        members: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        told = record.args if isinstance(record.args, Mapping) else {}
        members = {**(_about.get() or {}), **told, **members}
        if record.exc_info:
            members["traceback"] = self.formatException(record.exc_info)
        if record.stack_info:
            members["stack"] = self.formatStack(record.stack_info)
        return escaped_json(_dumped({name: members[name] for name in _in_order(members)})).decode()


FORMATTERS: Final[Mapping[str, Callable[[], logging.Formatter]]] = {"text": OneLine, "json": JsonLines}
"""By the setting `log_format`."""


def escaped(text: str) -> str:
    r"""The text with control characters escaped; a newline becomes `\n`."""
    if text.isprintable():
        return text
    return _CONTROL.sub(
        lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text
    )


def terminal_lines(text: str) -> list[str]:
    r"""The lines of a text for a terminal: tabs stay, other control characters are escaped."""
    lines = text.replace("\r\n", "\n").split("\n")
    return ["\t".join(map(escaped, line.split("\t"))) for line in lines]


def escaped_json(text: bytes) -> bytes:
    """JSON lines with control characters escaped; they parse to the same values."""
    if text.isascii() and b"\x7f" not in text:
        return text
    return _CONTROL_BYTES.sub(lambda found: b"\\u%04x" % ord(found[0].decode()), text)


def catch_all() -> None:
    """Have the log tell what Python would print by itself: warnings, and exceptions that nobody caught."""
    log = logging.getLogger("passrole")
    logging.captureWarnings(True)

    def in_thread(raised: threading.ExceptHookArgs) -> None:
        error = raised.exc_value
        log.error("a thread ended with an error of passrole itself", exc_info=error)

    def unraisable(raised: Any) -> None:
        error = raised.exc_value
        log.error("%s", raised.err_msg or "an error that cannot be raised", exc_info=error)

    threading.excepthook, sys.unraisablehook = in_thread, unraisable


_FIRST = ("time", "level", "logger", "message", "request_id", "execution")


def _in_order(members: Mapping[str, Any]) -> list[str]:
    return [*(name for name in _FIRST if name in members), *(name for name in members if name not in _FIRST)]


def _message(record: logging.LogRecord) -> str:
    """Also of a record whose arguments do not fit: a line that is wrong says more than none."""
    try:
        return record.getMessage()
    except Exception:
        return f"{record.msg} {record.args!r}"


def _dumped(members: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(members, default=str)
    except (TypeError, ValueError):  # half of a pair of surrogates, or a number of more than 64 bits
        return json.dumps(members, default=str).encode()


def _indented(text: str) -> str:
    return "\n".join(f"    {escaped(line)}" for line in text.split("\n"))
