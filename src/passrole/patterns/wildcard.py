r"""`*` in a wildcard: any letters, none included. `\*` and `\\` stand for themselves.

A wildcard is cut at its stars into pieces, which are looked for from left to right: the first must begin
the text, the last must end it, and the leftmost place will always do for the others. So a match takes no
longer than one search for each piece, and nothing is ever tried twice.
"""

from collections.abc import Callable


class BadWildcard(Exception):
    """The wildcard cannot be read; the message is AWS's."""


def compile_wildcard(text: str) -> Callable[[str], bool]:
    """Whether a text fits the wildcard. Raises BadWildcard."""
    first, *others = pieces(text)
    if not others:
        return first.__eq__
    *middle, last = others
    shortest = len(first) + len(last)

    def fits(value: str) -> bool:
        if len(value) < shortest or not value.startswith(first) or not value.endswith(last):
            return False
        at, end = len(first), len(value) - len(last)
        for piece in middle:
            found = value.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return True

    return fits


def pieces(text: str) -> list[str]:
    """The literal pieces between the stars. Positions in errors count bytes from the opening quote, as
    AWS's do.
    """
    found, letters = [], list[str]()
    rest = iter(enumerate(text))
    for index, letter in rest:
        if letter == "*":
            if text[index + 1 : index + 2] == "*":
                raise BadWildcard(f"Consecutive wildcard characters at pos {_position(text, index)}")
            found.append("".join(letters))
            letters = []
        elif letter == "\\":
            if text[index + 1 : index + 2] not in ("*", "\\"):
                raise BadWildcard(f"Invalid escape character at pos {_position(text, index)}")
            letters.append(next(rest)[1])
        else:
            letters.append(letter)
    return [*found, "".join(letters)]


def _position(text: str, index: int) -> int:
    return len(text[:index].encode("utf-8", "surrogatepass")) + 1
