"""Escapes control characters and line separators, so that no caller can forge a line of the log, of the audit
trail or of a terminal.
"""

import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# The last ones change the text direction: https://www.unicode.org/reports/tr9/#Explicit_Directional_Embeddings
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
# The same in UTF-8, as far as a JSON writer leaves them.
_CONTROL_BYTES = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]")


class OneLine(logging.Formatter):
    """A record is one line; a traceback follows indented, so that none of its lines looks like a record."""

    def __init__(self) -> None:
        super().__init__(_FORMAT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        """The first line."""
        return escaped(super().formatMessage(record))

    def formatException(self, ei: object) -> str:  # noqa: N802 (logging's name)
        """The traceback."""
        return _indented(super().formatException(ei))  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 (logging's name)
        """The stack."""
        return _indented(stack_info)


class JsonLines(logging.Formatter):
    """A record is one JSON object: `time`, `level`, `logger`, `message`, and the members of what it tells."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        members: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if isinstance(record.args, Mapping):
            members |= record.args
        if record.exc_info:
            members["traceback"] = self.formatException(record.exc_info)
        return escaped_json(orjson.dumps(members, default=str)).decode()


FORMATTERS: Final[Mapping[str, Callable[[], logging.Formatter]]] = {"text": OneLine, "json": JsonLines}
"""By the setting `log_format`."""


def escaped(text: str) -> str:
    r"""The text with control characters escaped; a newline becomes `\n`."""
    return _CONTROL.sub(
        lambda found: found[0].encode("unicode_escape", "surrogatepass").decode("ascii"), text
    )


def terminal_lines(text: str) -> list[str]:
    r"""The lines of a text for a terminal: tabs stay, other control characters are escaped."""
    lines = text.replace("\r\n", "\n").split("\n")
    return ["\t".join(map(escaped, line.split("\t"))) for line in lines]


def escaped_json(text: bytes) -> bytes:
    """JSON lines with control characters escaped; they parse to the same values."""
    return _CONTROL_BYTES.sub(lambda found: b"\\u%04x" % ord(found[0].decode()), text)


def _indented(text: str) -> str:
    return "\n".join(f"    {escaped(line)}" for line in text.split("\n"))
