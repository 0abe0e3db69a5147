"""What a target is given of an event: the event, a constant, a part of it, or what a template makes of parts.

Pure. In a template `<name>` stands for a value: as JSON where a value is expected, as bare text inside
quotes. What AWS was recorded to do (localstack's test_events_inputs): a value that is not there is an empty
string; a template that is one string shows objects without their quotes; an object inside quotes anywhere
else makes no JSON, and nothing is delivered.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from passrole import exact_json
from passrole.patterns.json_paths import ABSENT, InvalidPath, parse_path, value_at
from passrole.services.events.rule_targets import RuleTarget

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import TargetTypeDef

RESERVED = (
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
)

_SPELT: Mapping[str, str] = {"detail-type": "detailType"}
"""As `<aws.events.event>` has it, unlike the event itself."""


@dataclass(frozen=True)
class Occasion:
    """An event on its way to a target: the rule that wanted it, and when it came, as events write times."""

    event: Mapping[str, Any]
    rule_arn: str
    ingested: str


class InvalidInput(Exception):
    """A target's input cannot be made; the message is what follows the target's name in AWS's words."""


def check_input(target: "TargetTypeDef") -> None:
    """Whether the target's input can be made of events. Raises InvalidInput."""
    name = target["Id"]
    given = [member for member in ("Input", "InputPath", "InputTransformer") if member in target]
    if len(given) > 1:
        raise InvalidInput(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}."
        )
    if "Input" in target and not _is_json(target["Input"]):
        raise InvalidInput(f"JSON syntax error in input for target {name}.")
    transformer = target.get("InputTransformer") or {"InputTemplate": ""}
    paths = transformer.get("InputPathsMap") or {}
    for path in (*([target["InputPath"]] if "InputPath" in target else ()), *paths.values()):
        try:
            parse_path(path)
        except InvalidPath:
            raise InvalidInput(f"Invalid JSON path {path} for target {name}.") from None
    for placeholder in placeholders(transformer["InputTemplate"]):
        if placeholder not in paths and placeholder not in RESERVED:
            raise InvalidInput(f"InputTemplate for target {name} contains invalid placeholder {placeholder}.")


def input_of(target: RuleTarget, occasion: Occasion) -> str:
    """The text that the target is given. Raises InvalidInput where the event makes it no JSON."""
    if target.input is not None:
        return target.input
    if target.input_path is not None:
        found = value_at(occasion.event, target.input_path)
        return _json(None if found is ABSENT else found)
    return _filled(target.transformer, occasion) if target.transformer else event_text(occasion.event)


def event_text(event: Mapping[str, Any]) -> str:
    """The event itself, as a target without an input and a dead-letter queue get it."""
    return _json(event)


def placeholders(template: str) -> Iterator[str]:
    """The names that stand between `<` and `>`."""
    for name, _, _ in _parts(template):
        if name is not None:
            yield name


def _filled(transformer: Mapping[str, Any], occasion: Occasion) -> str:
    values = {
        name: value_at(occasion.event, path)
        for name, path in (transformer.get("InputPathsMap") or {}).items()
    } | _reserved(occasion)
    template = transformer["InputTemplate"]
    is_string = template.lstrip().startswith('"')
    made = []
    for name, text, quoted in _parts(template):
        value = "" if name is None else values.get(name, ABSENT)
        if quoted and not is_string and isinstance(value, dict | list):
            raise InvalidInput(f"the value of {name} is no text, and stands inside quotes")
        made.append(text if name is None else _shown(value, quoted=quoted))
    return "".join(made)


def _reserved(occasion: Occasion) -> dict[str, Any]:
    event = occasion.event
    members = ("id", "account", "detail-type", "time", "source", "region", "resources", "version")
    without_detail = {_SPELT.get(key, key): event[key] for key in members if key in event}
    return {
        "aws.events.rule-arn": occasion.rule_arn,
        "aws.events.rule-name": occasion.rule_arn.rpartition("/")[2],
        "aws.events.event.ingestion-time": occasion.ingested,
        "aws.events.event": without_detail,
        "aws.events.event.json": event,
    }


def _parts(template: str) -> Iterator[tuple[str | None, str, bool]]:
    """The template in pieces: a name with whether it stands inside quotes, or (None) a text."""
    quoted = False
    text = list[str]()
    rest = iter(enumerate(template))
    for index, letter in rest:
        if letter == "\\":
            text += [letter, next(rest, (0, ""))[1]]
            continue
        if letter == '"':
            quoted = not quoted
        end = template.find(">", index) if letter == "<" else -1
        name = template[index + 1 : end] if end > 0 else ""
        if not _is_name(name):
            text.append(letter)
            continue
        yield None, "".join(text), quoted
        yield name, "", quoted
        text = []
        for _ in range(len(name) + 1):
            next(rest)
    yield None, "".join(text), quoted


def _is_name(text: str) -> bool:
    return bool(text) and all(letter.isalnum() or letter in "-_." for letter in text)


def _shown(value: Any, *, quoted: bool) -> str:
    """A value in the template; a variable whose path leads nowhere is empty text."""
    if value is ABSENT:
        value = ""
    if not quoted:
        return _json(value)
    text = value if isinstance(value, str) else _json(value).replace('"', "")
    return _json(text)[1:-1]  # as it is written inside quotes


def _json(value: Any) -> str:
    return exact_json.dumps(value).decode()


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
