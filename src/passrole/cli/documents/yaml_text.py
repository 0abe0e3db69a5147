"""YAML as CloudFormation writes it: plain values, its short tags as objects, and the place of each value.

It builds values from PyYAML's events, never objects of Python. Aliases are refused, as CloudFormation refuses
them: a text of some lines could stand for more than fits into memory.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html

PyYAML is imported here alone, and only for a text that is YAML.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from passrole.cli.documents.places import Path, Place

CHARACTERS_MAX: Final = 2_000_000  # CloudFormation takes 1 MB
DEPTH_MAX: Final = 100

_STANDARD: Final = "tag:yaml.org,2002:"
_PLAIN: Final = frozenset(_STANDARD + name for name in ("str", "int", "float", "bool", "null", "map", "seq"))
_BARE: Final = frozenset({"Ref", "Condition"})
_FUNCTIONS: Final = frozenset(
    {
        *("And", "Base64", "Cidr", "Equals", "FindInMap", "GetAZs", "GetAtt", "If", "ImportValue", "Join"),
        *("Length", "Not", "Or", "Select", "Split", "Sub", "ToJsonString", "Transform"),
    }
)
# YAML 1.1, which CloudFormation speaks; dates stay text, since a policy's Version is one.
_WORDS: Final = {
    **dict.fromkeys(("", "~", "null"), None),
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
}
_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,17})")


class UnreadableYaml(Exception):
    """The text is not YAML that is read here; the message says why and where."""


def read_yaml(text: str) -> tuple[Any, dict[Path, Place]]:
    """The value, and the place of each value in it. Raises UnreadableYaml."""
    import yaml

    if len(text) > CHARACTERS_MAX:
        raise UnreadableYaml(f"it has {len(text)} characters, and YAML is read up to {CHARACTERS_MAX}")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _Builder(yaml.parse(text, Loader=loader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise UnreadableYaml(f"{where}{error.problem}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise UnreadableYaml(" ".join(str(error).split())) from error


class _Builder:
    """Values from events, with their places by path."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._places: dict[Path, Place] = {}

    def document(self) -> tuple[Any, dict[Path, Place]]:
        value, documents = None, 0
        for event in self._events:
            name = type(event).__name__
            if name == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    raise _refusal(event, "a second document begins; give one")
            elif name in ("ScalarEvent", "SequenceStartEvent", "MappingStartEvent", "AliasEvent"):
                value = self._value(event, ())
        return value, self._places

    def _value(self, event: Any, path: Path) -> Any:
        name = type(event).__name__
        if name == "AliasEvent":
            raise _refusal(event, f"the alias `*{event.anchor}` is not read; write the value again")
        if len(path) > DEPTH_MAX:
            raise _refusal(event, f"it nests deeper than {DEPTH_MAX} levels")
        self._places[path] = Place(event.start_mark.line + 1, event.start_mark.column + 1)
        function = _function(event)
        inner = path if function is None else (*path, function)
        if name == "ScalarEvent":
            value = _scalar(event)
        elif name == "SequenceStartEvent":
            value = [
                self._value(each, (*inner, at)) for at, each in enumerate(self._until("SequenceEndEvent"))
            ]
        else:
            value = self._mapping(inner)
        return value if function is None else {function: value}

    def _mapping(self, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key in self._until("MappingEndEvent"):
            if type(key).__name__ != "ScalarEvent":
                raise _refusal(key, "a key is not a plain text")
            if key.value in found:
                raise _refusal(key, f"the key `{key.value}` occurs twice")
            found[key.value] = self._value(next(self._events), (*path, key.value))
        return found

    def _until(self, end: str) -> Iterator[Any]:
        while type(event := next(self._events)).__name__ != end:
            yield event


def _function(event: Any) -> str | None:
    """`Ref` for `!Ref`, `Fn::Sub` for `!Sub`; None for a value without a tag."""
    tag = event.tag
    if tag in (None, "!") or tag in _PLAIN:
        return None
    name = tag.removeprefix("!")
    if name in _BARE:
        return str(name)
    if tag.startswith("!") and name in _FUNCTIONS:
        return f"Fn::{name}"
    shown = tag.replace(_STANDARD, "!!")
    raise _refusal(event, f"the tag `{shown}` is not read; those of CloudFormation are, such as !Sub")


def _scalar(event: Any) -> Any:
    text = event.value
    if not event.implicit[0] or _function(event) is not None:
        return text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    return int(text) if _WHOLE.fullmatch(text) else text


def _refusal(event: Any, problem: str) -> UnreadableYaml:
    mark = event.start_mark
    return UnreadableYaml(f"line {mark.line + 1}, column {mark.column + 1}: {problem}")
