"""The keys that are pressed on a terminal, as characters and names."""

import codecs
import os
import re
import select
import sys
import termios
import tty
from collections.abc import Iterator, Mapping
from typing import Final, Self

ENTER, ESCAPE, ERASE, CLEAR = "enter", "escape", "erase", "clear"
NEXT, PREVIOUS = "next", "previous"

_NAMES: Final[Mapping[str, str]] = {
    "\r": ENTER,
    "\n": ENTER,
    "\x1b": ESCAPE,
    "\x7f": ERASE,
    "\b": ERASE,
    "\x15": CLEAR,
    "\t": NEXT,
    "\x1b[B": NEXT,
    "\x1bOB": NEXT,
    "\x1b[A": PREVIOUS,
    "\x1bOA": PREVIOUS,
    "\x1b[Z": PREVIOUS,
}
# A control sequence of ECMA-48, a key of a keypad, Alt with a character, or one character.
_KEY = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO.|\x1b[^\x1b\[O]|.", re.DOTALL)
_SEQUENCE_SECONDS = 0.05
"""How long the rest of a key's sequence may take: else Escape itself was pressed."""


class Keys:
    """Keys of standard input, each at once and without echo inside the block; Ctrl-C still interrupts."""

    def __init__(self) -> None:
        self._input = sys.stdin.fileno()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(self._input)
        tty.setcbreak(self._input)
        return self

    def __exit__(self, *_: object) -> None:
        termios.tcsetattr(self._input, termios.TCSADRAIN, self._before)

    def pressed(self, seconds: float) -> list[str]:
        """The keys that come within this time; empty if none does. Raises EOFError without a terminal."""
        if not self._is_ready(seconds):
            return []
        text = self._read()
        while text.endswith(("\x1b", "\x1b[", "\x1bO")):
            if not self._is_ready(_SEQUENCE_SECONDS):
                break
            text += self._read()
        return list(names_of(text))

    def _is_ready(self, seconds: float) -> bool:
        return bool(select.select([self._input], [], [], seconds)[0])

    def _read(self) -> str:
        found = os.read(self._input, 1024)
        if not found:
            raise EOFError
        return self._decoder.decode(found)


def names_of(text: str) -> Iterator[str]:
    """The keys in a text: names of those above, characters that can be printed; others are left out."""
    for found in _KEY.finditer(text):
        key = found[0]
        if key in _NAMES:
            yield _NAMES[key]
        elif len(key) == 1 and key.isprintable():
            yield key
