r"""The operator `wildcard`: `*` matches any number of letters, also none. `\*` and `\\` are literal.

A wildcard is split at its stars into pieces, which are searched from left to right: the first must be at the
start of the text, the last at its end, and the leftmost match is always right for the others. So a match
costs one search for each piece, without backtracking.

AWS refuses wildcards that are too complex for its engine: event-ruler counts how many prefixes of wildcards
one text can match at the same time (MachineComplexityEvaluator). `*:*:*:*:*:event-bus/*` counts ten and is
refused; `/Users/*/dir/dir/dir/dir/dir/doc.txt` counts seven and is accepted.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

COMPLEXITY_MAX = 9
TOO_COMPLEX = (
    "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences"
    " after a wildcard character"
)
_STAR = None
_STATES_MAX = 500  # a wildcard that is not too complex by then is accepted
_Tokens = Sequence[list[str | None]]
_State = frozenset[tuple[int, int]]


class BadWildcard(Exception):
    """The wildcard is invalid; the message is AWS's."""


def compile_wildcard(text: str) -> Callable[[str], bool]:
    """Compile a wildcard to a test of a text. Raises BadWildcard."""
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


@lru_cache(maxsize=256)
def check_complexity(texts: tuple[str, ...]) -> None:
    """Check that the wildcards of one field together are not too complex. Raises BadWildcard."""
    tokens = [_tokens(text) for text in texts]
    letters = {letter for each in tokens for letter in each if letter is not _STAR}
    begun = _closed(tokens, {(number, 0) for number in range(len(tokens))})
    seen, waiting = {begun}, [begun]
    while waiting and len(seen) < _STATES_MAX:
        state = waiting.pop()
        for letter in letters:
            after = _closed(tokens, _after(tokens, state, letter))
            if len(after) > COMPLEXITY_MAX:
                raise BadWildcard(TOO_COMPLEX)
            if after not in seen:
                seen.add(after)
                waiting.append(after)


def _after(tokens: _Tokens, state: _State, letter: str | None) -> Iterator[tuple[int, int]]:
    """The prefixes (wildcard and length) that a text matches after one more letter."""
    for number, length in state:
        wildcard = tokens[number]
        if length and wildcard[length - 1] is _STAR:
            yield number, length
        if length < len(wildcard) and wildcard[length] == letter:
            yield number, length + 1


def _closed(tokens: _Tokens, state: Iterable[tuple[int, int]]) -> _State:
    """The state with the prefixes that result from stars that match nothing."""
    found = set(state)
    stars = {(n, length + 1) for n, length in found if tokens[n][length : length + 1] == [_STAR]}
    return frozenset(found | stars)


def _tokens(text: str) -> list[str | None]:
    first, *others = pieces(text)
    return [*first, *(token for piece in others for token in (_STAR, *piece))]


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
