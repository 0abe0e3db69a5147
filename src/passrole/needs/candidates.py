"""Candidate requests for a name that is known only in part, as far as policies distinguish them.

A need such as `training-job/pipelines-*` is allowed if all candidates are, and denied if none is. The
candidates are: a short and a long name of letters that no policy contains, which only a wildcard matches; and
for every pattern in the policies a name that matches both it and the need, if there is one, so that partial
Denies and Allows are found.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from passrole.needs.need import ANY
from passrole.policy.document import CompiledPolicy, Statement
from passrole.policy.evaluate import PolicySet
from passrole.policy.request import Request, Values
from passrole.policy.scope import Scope
from passrole.policy.variables import Template, Wild, read, resolve

_LETTERS: Final = "xqzjkwvyhgfbupmtrsaeiond0123456789"
_NOWHERE: Final = "\ue000"  # a private use letter, if policies contain all others
_PAIRS_MAX: Final = 200_000  # states of one intersection; a larger one is taken to be empty

_ARN_SEGMENTS: Final = 6
_MEMO_SIZE: Final = 4096

Tokens = tuple[str | Wild, ...]


def candidates(request: Request, policies: PolicySet, *, is_pattern: bool) -> list[Request]:
    """The candidate requests; only the request itself if nothing in it is unknown."""
    statements = list(_about(request.action, policies))
    texts = [text for each in statements for text in _texts(each)]
    letter = _unnamed(texts)
    widest = 1 + max((text.count("?") for text in texts), default=0)
    context = {key: _filled(value, letter) for key, value in request.context.items()}
    base = replace(request, context=context)
    resources = [request.resource]
    if is_pattern and ANY in request.resource:
        shortest = request.resource.replace(ANY, letter)
        resources = [shortest, request.resource.replace(ANY, letter * (widest + 1))]
        resources += _meetings(base, statements, letter)
    found = [replace(base, resource=resource) for resource in dict.fromkeys(resources)]
    for key, value in request.context.items():
        if value != context[key]:
            wanted = _conditioned(base, statements, key)
            found += [
                replace(found[0], context={**context, key: variant})
                for variant in _variants(value, wanted, letter)
            ]
    return found


def _about(action: str, policies: PolicySet) -> Iterator[Statement]:
    layers: list[CompiledPolicy] = [policy for _, policy in (*policies.identity, *policies.session)]
    layers += [policy for level in policies.scps for _, policy in level]
    layers += [policies.boundary[1]] if policies.boundary else []
    layers += [each for each in (policies.resource, policies.trust) if each is not None]
    for policy in layers:
        relevant = policy.statements_for(action)
        yield from (*relevant.denies, *relevant.allows)


def _texts(statement: Statement) -> Iterator[str]:
    yield from statement.resources.texts if statement.resources else ()
    for condition in statement.conditions:
        yield from condition.values


def _unnamed(texts: Iterable[str]) -> str:
    named = frozenset("".join(texts))
    return next((letter for letter in _LETTERS if letter not in named), _NOWHERE)


def _filled(value: Values, letter: str) -> Values:
    if isinstance(value, str):
        return value.replace(ANY, letter)
    return tuple(each.replace(ANY, letter) for each in value)


def _conditioned(base: Request, statements: Iterable[Statement], key: str) -> list[Tokens]:
    """The values that conditions compare with the key, variables filled in; also neighbours of numbers."""
    scope = Scope(base)
    texts = [
        near
        for statement in statements
        for condition in statement.conditions
        if condition.lookup_key == key.lower()
        for value in condition.values
        for near in _neighbours(value)
    ]
    filled = (resolve(_template(text), scope) for text in dict.fromkeys(texts))
    return [template for template in filled if template is not None]


def _neighbours(text: str) -> tuple[str, ...]:
    if not text.isascii() or not text.isdecimal():
        return (text,)
    return text, str(int(text) - 1), str(int(text) + 1)


def _variants(value: Values, wanted: Iterable[Tokens], letter: str) -> Iterator[Values]:
    """The value's variants that match one of the patterns and its known part."""
    texts = (value,) if isinstance(value, str) else value
    for at, text in enumerate(texts):
        for pattern in wanted if ANY in text else ():
            met = _meet(_tokens(text), tuple(_letters(pattern)), letter)
            if met is not None:
                yield met if isinstance(value, str) else (*texts[:at], met, *texts[at + 1 :])


def _meetings(request: Request, statements: Iterable[Statement], letter: str) -> list[str]:
    """For every pattern of the statements, an ARN that matches it and the request's resource, if any."""
    scope = Scope(request)
    patterns = dict.fromkeys(
        text for each in statements if each.resources for text in each.resources.texts if text != ANY
    )
    templates = (resolve(_template(text), scope) for text in patterns)
    found = (_met(request.resource, template, letter) for template in templates if template is not None)
    return [arn for arn in found if arn is not None]


@lru_cache(maxsize=_MEMO_SIZE)
def _template(text: str) -> Template:
    return read(text, variables=True)


@lru_cache(maxsize=_MEMO_SIZE)
def _met(resource: str, pattern: Tokens, letter: str) -> str | None:
    """An ARN that matches the need's resource and a policy's pattern, segment by segment."""
    parts = []
    for own_token, other_token in zip(_cut(_tokens(resource)), _cut(_letters(pattern)), strict=True):
        part = _meet(own_token, other_token, letter)
        if part is None:
            return None
        parts.append(part)
    return ":".join(parts)


def _tokens(text: str) -> Tokens:
    """The tokens of a text in which `*` is an unknown part of at least one letter."""
    return tuple(token for each in text for token in ((Wild.ONE, Wild.STAR) if each == ANY else (each,)))


def _letters(pattern: Tokens) -> Iterator[str | Wild]:
    for token in pattern:
        yield from token if isinstance(token, str) else (token,)


def _cut(tokens: Iterable[str | Wild]) -> list[Tokens]:
    """The six segments of an ARN; missing ones match anything."""
    segments: list[list[str | Wild]] = [[]]
    for each in tokens:
        if each == ":" and len(segments) < _ARN_SEGMENTS:
            segments.append([])
        else:
            segments[-1].append(each)
    return [*map(tuple, segments), *[(Wild.STAR,)] * (_ARN_SEGMENTS - len(segments))]


def _meet(own: Tokens, other: Tokens, letter: str) -> str | None:
    """A text that matches both patterns; None if there is none."""
    if own == other and not {Wild.STAR, Wild.ONE} & {*own}:
        return "".join(map(str, own))
    if len(own) * len(other) > _PAIRS_MAX:
        return None
    goal = len(own), len(other)
    came: dict[tuple[int, int], tuple[tuple[int, int], str]] = {}
    seen, waiting = {(0, 0)}, deque([(0, 0)])
    while waiting:
        place = waiting.popleft()
        if place == goal:
            return _path(came, goal)
        for after, text, free in _moves(place, own, other, letter):
            if after not in seen:
                seen.add(after)
                came[after] = place, text
                (waiting.appendleft if free else waiting.append)(after)
    return None


def _moves(
    place: tuple[int, int], own: Tokens, other: Tokens, letter: str
) -> Iterator[tuple[tuple[int, int], str, bool]]:
    """The next states: after one letter, or after the end of a star."""
    i, j = place
    own_token = own[i] if i < len(own) else None
    other_token = other[j] if j < len(other) else None
    if own_token is Wild.STAR:
        yield (i + 1, j), "", True
    if other_token is Wild.STAR:
        yield (i, j + 1), "", True
    if own_token is None or other_token is None or (own_token is Wild.STAR and other_token is Wild.STAR):
        return
    if isinstance(own_token, str) and isinstance(other_token, str) and own_token != other_token:
        return
    text = (
        own_token if isinstance(own_token, str) else other_token if isinstance(other_token, str) else letter
    )
    yield (i if own_token is Wild.STAR else i + 1, j if other_token is Wild.STAR else j + 1), text, False


def _path(came: Mapping[tuple[int, int], tuple[tuple[int, int], str]], goal: tuple[int, int]) -> str:
    found: list[str] = []
    place = goal
    while place in came:
        place, text = came[place]
        found.append(text)
    return "".join(reversed(found))
