"""Keys of notices that are the measurement itself: `Callback Succeeded 1.2`. Their channels are OWN."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple, TypeVar, get_type_hints

M = TypeVar("M", bound=NamedTuple)


def key_of(measurement: NamedTuple) -> str:
    """The key; the fields are numbers and words without spaces."""
    return " ".join(map(str, measurement))


def measured(kind: type[M], key: str) -> M:
    """The measurement that a key tells of."""
    return kind._make(read(word) for read, word in zip(_readers(kind), key.split(" "), strict=True))


@cache
def _readers(kind: type[NamedTuple]) -> tuple[Callable[[str], object], ...]:
    return tuple(get_type_hints(kind).values())
