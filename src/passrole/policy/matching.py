"""Matches wildcards, ARNs and actions against patterns.

It knows no policy. No pattern becomes a regular expression and nothing backtracks.

A pattern is split at `*` into chunks. The first must be at the start of the text, the last at its end, and
each chunk between is matched at its first occurrence: with only `*` between chunks, an earlier match of one
never prevents a match of the next. So the text is scanned once, and the cost is at most the length of the
text times the length of the longest chunk; without `?` it is linear, like `str.find`.

ARNs are compared segment by segment: a `*` matches within its own segment, except in the resource part (the
sixth, which may contain colons) and except a `*` at the end of a pattern of fewer than six segments, which
matches the rest (`arn:aws:sqs:*`). A Resource or NotResource of fewer segments is completed with wildcards,
as AWS does: `arn:aws:sqs:us-east-1` is every queue of that region.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

from passrole.policy.predicates import Predicate, any_of
from passrole.policy.scope import Scope
from passrole.policy.variables import Template, Text, Variable, Wild, is_fixed, read, resolve

Fits = Callable[[str], bool]

# Takes the segments of an ARN (`split_arn`) and the request that fills the variables.
# None if a variable of the pattern has no value: neither a match nor a mismatch.
ArnFits = Callable[[list[str], Scope], bool | None]

_ARN_SEGMENTS: Final = 6
_MEMO_SIZE: Final = 2048
_FIRST_WINDOW: Final = 64  # letters; most chunks are found near the start
_GROWTH: Final = 8  # factor by which the window grows after each miss


def arn_matcher(text: str, *, variables: bool, completed: bool = False) -> ArnFits:
    """The matcher of an ARN pattern, as in Resource (`completed` if it is short) and in Arn operators."""
    segments = _cut(read(text, variables=variables))
    segments = _completed(segments) if completed else segments
    fixed = tuple(segment for segment in segments if is_fixed(segment))
    if len(fixed) == len(segments):
        return _segments_matcher(fixed)

    def fits_when_filled(actual: list[str], scope: Scope) -> bool | None:
        filled = [resolve(segment, scope) for segment in segments]
        known = tuple(segment for segment in filled if segment is not None)
        return _segments_matcher(known)(actual, scope) if len(known) == len(filled) else None

    return fits_when_filled


def resource_predicate(patterns: Iterable[str], *, variables: bool) -> Predicate:
    """Whether the request's resource matches one of the patterns.

    ARNs without wildcards are found by one look-up; patterns that differ only in the resource's name share
    the comparison of the other segments.
    """
    exact: set[str] = set()
    names_by_place: dict[tuple[Text, ...], list[Text]] = {}
    others: list[Predicate] = []
    for text in patterns:
        segments = _completed(_cut(read(text, variables=variables)))
        fixed = tuple(segment for segment in segments if is_fixed(segment))
        if len(fixed) == len(segments) and all(_is_letters(segment) for segment in fixed):
            exact.add(":".join(_letters(segment) for segment in fixed))
        elif len(fixed) == _ARN_SEGMENTS:
            names_by_place.setdefault(fixed[:-1], []).append(fixed[-1])
        else:
            others.append(_asked_of_resource(arn_matcher(text, variables=variables, completed=True)))
    named = [_named(place, names) for place, names in names_by_place.items()]
    return any_of([*([lambda scope: scope.resource in exact] if exact else []), *named, *others])


def action_matcher(pattern: str) -> Fits:
    """The matcher of an Action pattern, for actions in lower case. Actions have no variables."""
    template = read(pattern.lower(), variables=False)
    return glob(tuple(token for token in template if isinstance(token, str | Wild)))


@lru_cache(maxsize=_MEMO_SIZE)
def glob(pattern: Text) -> Fits:
    """The matcher of a pattern of letters and wildcards; cached."""
    chunks = _chunks(pattern)
    if len(chunks) == 1:
        only = chunks[0]
        return _equal_to(only.letters) if only.is_plain else only.is_all_of
    head, *between, tail = chunks
    if not between and head.is_plain and tail.is_plain:
        return _head_and_tail(head.letters, tail.letters)
    if len(between) == 1 and between[0].is_plain and head.is_plain and tail.size == 0:
        return _containing(head.letters, between[0].letters)
    return _scanning(head, tuple(between), tail)


class _Chunk:
    """A part of a pattern without `*`: letters, and gaps (`?`) that match any one letter."""

    __slots__ = ("is_plain", "letters", "pieces", "size")

    def __init__(self, tokens: Sequence[str | Wild]) -> None:
        pieces: list[tuple[int, str]] = []
        size = 0
        for token in tokens:
            if isinstance(token, str):
                pieces.append((size, token))
                size += len(token)
            else:
                size += 1
        self.size = size
        self.pieces = tuple(pieces)
        self.letters = "".join(piece for _, piece in pieces)
        self.is_plain = len(self.letters) == size

    def is_all_of(self, text: str) -> bool:
        return len(text) == self.size and self.stands_at(text, 0)

    def stands_at(self, text: str, at: int) -> bool:
        return all(text.startswith(piece, at + offset) for offset, piece in self.pieces)

    def find(self, text: str, start: int, stop: int) -> int:
        """The first index in text[start:stop] at which the chunk matches, or -1."""
        if self.is_plain:
            return text.find(self.letters, start, stop)
        width = _FIRST_WINDOW
        while start + self.size <= stop:
            places = self._places(text[start : min(start + width + self.size - 1, stop)])
            if places:
                return start + (places & -places).bit_length() - 1
            start += width
            width *= _GROWTH
        return -1

    def _places(self, text: str) -> int:
        """The indices at which the chunk matches, as bits: all indices are tested at once, letter by letter
        of the chunk, because testing one after the other costs text times pattern.
        """
        backwards, seen = text[::-1], dict[str, int]()
        places = (1 << len(text) - self.size + 1) - 1
        for offset, piece in self.pieces:
            for at, letter in enumerate(piece, offset):
                if letter not in seen:
                    seen[letter] = int(backwards.translate(_Marks(letter)), 2)
                places &= seen[letter] >> at
            if not places:
                break
        return places


class _Marks(dict[int, str]):
    """A table for `str.translate`: `1` for the letter, `0` for all others."""

    def __init__(self, letter: str) -> None:
        super().__init__({ord(letter): "1"})

    def __missing__(self, _letter: int) -> str:
        return "0"


def _chunks(pattern: Text) -> list[_Chunk]:
    """The chunks between the stars; a star at either end leaves an empty chunk there, `**` counts as `*`."""
    runs: list[list[str | Wild]] = [[]]
    for token in pattern:
        if token is Wild.STAR:
            runs.append([])
        elif token:
            runs[-1].append(token)
    if len(runs) == 1:
        return [_Chunk(runs[0])]
    return [_Chunk(runs[0]), *(_Chunk(run) for run in runs[1:-1] if run), _Chunk(runs[-1])]


def _equal_to(letters: str) -> Fits:
    return lambda text: text == letters


def _containing(head: str, letters: str) -> Fits:
    if not head:
        return lambda text: letters in text
    after = len(head)
    return lambda text: text.startswith(head) and text.find(letters, after) != -1


def _head_and_tail(head: str, tail: str) -> Fits:
    if not tail:
        return lambda text: text.startswith(head)
    if not head:
        return lambda text: text.endswith(tail)
    # Head and tail must not overlap: `ab*ba` does not fit `aba`.
    least = len(head) + len(tail)
    return lambda text: len(text) >= least and text.startswith(head) and text.endswith(tail)


def _scanning(head: _Chunk, between: tuple[_Chunk, ...], tail: _Chunk) -> Fits:
    def fits(text: str) -> bool:
        at, stop = head.size, len(text) - tail.size
        if at > stop or not head.stands_at(text, 0) or not tail.stands_at(text, stop):
            return False
        for chunk in between:
            found = chunk.find(text, at, stop)
            if found == -1:
                return False
            at = found + chunk.size
        return True

    return fits


@lru_cache(maxsize=_MEMO_SIZE)
def _segments_matcher(pattern: tuple[Text, ...]) -> ArnFits:
    """The matcher of a segmented pattern: leading literal segments in one comparison, a lone `*` in none."""
    size = len(pattern)
    runs_on = pattern[-1][-1:] == (Wild.STAR,)
    exact = next((i for i, text in enumerate(pattern) if not _is_letters(text)), size)
    head = [_letters(text) for text in pattern[:exact]]
    rest = [(i, glob(text)) for i, text in enumerate(pattern) if i >= exact and text != (Wild.STAR,)]

    def fits(segments: list[str], _scope: Scope) -> bool:
        if len(segments) != size:
            if not runs_on or len(segments) < size:
                return False
            segments = [*segments[: size - 1], ":".join(segments[size - 1 :])]
        if segments[:exact] != head:
            return False
        for i, fit in rest:  # noqa: SIM110 -- twice as fast as all(), and this is the innermost loop
            if not fit(segments[i]):
                return False
        return True

    return fits


def _named(place: tuple[Text, ...], names: Sequence[Text]) -> Predicate:
    """Patterns of six segments whose first five are the same: `place`."""
    literal = next((i for i, text in enumerate(place) if not _is_letters(text)), len(place))
    head = "".join(f"{_letters(text)}:" for text in place[:literal])
    rest = [(i, glob(text)) for i, text in enumerate(place) if i >= literal and text != (Wild.STAR,)]
    beginning = _common_letters(names)
    name_fits = [glob(name[1:] if beginning else name) for name in names]

    def fits(scope: Scope) -> bool:
        segments = scope.segments
        if not scope.resource.startswith(head) or len(segments) != _ARN_SEGMENTS:
            return False
        for i, fit in rest:
            if not fit(segments[i]):
                return False
        name = segments[-1]
        if beginning:
            if not name.startswith(beginning):
                return False
            name = name[len(beginning) :]
        for fit in name_fits:  # noqa: SIM110 -- twice as fast as any(), and this is the innermost loop
            if fit(name):
                return True
        return False

    return fits


def _common_letters(names: Sequence[Text]) -> str:
    """The common literal prefix of all names, such as `function:` of `function:*a*` and `function:*b*`."""
    first = names[0][:1]
    return _letters(first) if all(name[:1] == first for name in names) else ""


def _asked_of_resource(fits: ArnFits) -> Predicate:
    return lambda scope: fits(scope.segments, scope) is True


def _is_letters(text: Text) -> bool:
    return all(isinstance(token, str) for token in text)


def _letters(text: Text) -> str:
    return "".join(token for token in text if isinstance(token, str))


def _cut(template: Template) -> tuple[Template, ...]:
    """The template split at its first five colons; colons inside a variable or its value do not count."""
    segments: list[list[str | Wild | Variable]] = [[]]
    for token in template:
        if not isinstance(token, str):
            segments[-1].append(token)
            continue
        first, *rest = token.split(":", _ARN_SEGMENTS - len(segments))
        segments[-1].append(first)
        segments.extend([piece] for piece in rest)
    return tuple(tuple(token for token in segment if token) for segment in segments)


def _completed(segments: tuple[Template, ...]) -> tuple[Template, ...]:
    """An incomplete ARN with a trailing `*`, which matches all missing segments.

    "When you specify an incomplete ARN (one with fewer than the standard six fields) in an identity-based
    policy, AWS automatically completes the ARN by adding wildcard characters (*) to all missing fields."
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
    """
    short = len(segments) < _ARN_SEGMENTS and segments[0] == ("arn",)
    runs_on = segments[-1][-1:] == (Wild.STAR,)
    return (*segments, (Wild.STAR,)) if short and not runs_on else segments
