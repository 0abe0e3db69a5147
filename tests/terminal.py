"""What a terminal shows of what was written to it: the few control sequences that we use, and no others."""

import re

_TOKEN = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|\x1b.?|[\r\n\b]|[^\x1b\r\n\b]")
_WITHOUT_TRACE = ("m", "h", "l")  # colours, and whether the cursor is seen


class Terminal:
    """The screen of a terminal of `columns` and `rows`. An unknown sequence is an AssertionError."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.scrolled: list[str] = []
        self._lines = [[" "] * columns for _ in range(rows)]
        self._row = self._column = 0

    @property
    def lines(self) -> list[str]:
        """The rows, without spaces at their ends."""
        return ["".join(line).rstrip() for line in self._lines]

    @property
    def text(self) -> str:
        """All rows, also those that have left at the top."""
        return "\n".join([*self.scrolled, *self.lines])

    def write(self, text: str) -> "Terminal":
        """As if the text came from a program."""
        for found in _TOKEN.finditer(text):
            if found[2]:
                self._control(found[1], found[2])
            else:
                assert not found[0].startswith("\x1b"), repr(found[0])
                self._put(found[0])
        return self

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._next_line()
        elif character == "\b":
            self._column = max(0, self._column - 1)
        else:
            if self._column == self.columns:
                self._column = 0
                self._next_line()
            self._lines[self._row][self._column] = character
            self._column += 1

    def _next_line(self) -> None:
        self._row += 1
        if self._row == self.rows:
            self._row -= 1
            self.scrolled.append("".join(self._lines.pop(0)).rstrip())
            self._lines.append([" "] * self.columns)

    def _control(self, parameters: str, final: str) -> None:
        if final in _WITHOUT_TRACE:
            return
        if final == "A":
            self._row = max(0, self._row - int(parameters or 1))
        elif (parameters, final) == ("2", "K"):
            self._lines[self._row] = [" "] * self.columns
        elif (parameters, final) == ("2", "J"):
            self._lines = [[" "] * self.columns for _ in range(self.rows)]
        elif (parameters, final) == ("", "H"):
            self._row = self._column = 0
        else:
            raise AssertionError(f"unknown control sequence {parameters}{final}")
