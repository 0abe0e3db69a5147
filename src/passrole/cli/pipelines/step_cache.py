"""`passrole explain --cache`: why a step took the result of an earlier execution over, or ran."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import click

from passrole.cli.errors import aws_errors_reported
from passrole.cli.pipelines.callbacks import age
from passrole.config import Config
from passrole.log_format import escaped

_DIFFERENCES_MAX = 20
_CHARACTERS_MAX = 300
_REASONS: Final[Mapping[str, str]] = {
    "hit": "the result of {source} was reused; it was {age} old{limit}",
    "off": "caching is off: the step has no CacheConfig that is enabled",
    "never cached": "the result of a {type} step is never reused",
    "taken by selection": "selective execution took the result from {source}, without a search",
    "not searched yet": "the search has not begun: a value that the arguments need is still being read",
    "arguments unresolved": "an argument has no value, so nothing was searched",
    "differs": "no result has the same arguments; those of {source}, {age} before, differ",
    "too old": "the last result with the same arguments, of {source}, was {age} old{limit}",
    "did not succeed": "no earlier run succeeded; the last one, in {source}, ended {age} before",
    "no earlier run": "no earlier execution has run it, or it was deleted",
    "not kept": "{source} had the same arguments, but is older than caching in passrole",
}


def explain(config: Config, execution: str, step: str, format_: str) -> int:
    """Print the explanation; the exit code, 0 for a hit and 1 for none. Raises InvalidInput."""
    from passrole.client import step_cache
    from passrole.client.connection import reading
    from passrole.client.execution_names import execution_arn

    with reading(config) as connection, aws_errors_reported():
        answer = step_cache.explained(connection, execution_arn(connection, execution), step)
    click.echo(as_json(answer) if format_ == "json" else as_text(answer))
    return 0 if answer["Hit"] else 1


def as_text(answer: Mapping[str, Any]) -> str:
    """A verdict, a sentence, and what differs; click drops colours off a terminal."""
    return "\n".join(_lines(answer))


def as_json(answer: Mapping[str, Any]) -> str:
    """One object, see docs/reference/cli.md."""
    source = {
        "execution": answer.get("SourcePipelineExecutionArn"),
        "step": answer.get("SourceStepName"),
        "ended": _moment(answer.get("SourceEndTime")),
    }
    whole = {
        "hit": answer["Hit"],
        "reason": answer["Reason"],
        "execution": answer["PipelineExecutionArn"],
        "step": answer["StepName"],
        "type": answer["StepType"],
        "searched": _moment(answer["SearchTime"]),
        "expire_after_seconds": answer.get("ExpireAfterSeconds"),
        "source": source if source["execution"] else None,
        "differences": [
            {"path": each["Path"], "value": each.get("Value"), "source_value": each.get("SourceValue")}
            for each in answer["Differences"]
        ],
    }
    return json.dumps(whole, indent=2)


def _lines(answer: Mapping[str, Any]) -> Iterator[str]:
    verdict, colour = ("hit", "green") if answer["Hit"] else ("miss", "yellow")
    of = escaped(f"{answer['StepName']} of {_place(answer['PipelineExecutionArn'])}")
    yield f"{click.style(verdict, fg=colour, bold=True)}  {of}"
    yield f"  {escaped(_reason(answer))}"
    differences = answer["Differences"]
    for each in differences[:_DIFFERENCES_MAX]:
        yield f"  {escaped(each['Path'])}"
        yield f"    here   {_value(each, 'Value')}"
        yield f"    there  {_value(each, 'SourceValue')}"
    if len(differences) > _DIFFERENCES_MAX:
        yield f"  and {len(differences) - _DIFFERENCES_MAX} more; --format json has all"


def _reason(answer: Mapping[str, Any]) -> str:
    limit, ended = answer.get("ExpireAfterSeconds"), answer.get("SourceEndTime")
    if answer["Hit"] and ended is None:
        return f"the result of {_source(answer)} was reused; that execution is deleted"
    return _REASONS[answer["Reason"]].format(
        source=_source(answer),
        age="" if ended is None else age(answer["SearchTime"] - ended),
        limit="" if limit is None else f", of {age(limit)} allowed by ExpireAfter",
        type=answer["StepType"],
    )


def _source(answer: Mapping[str, Any]) -> str:
    place, step = _place(answer.get("SourcePipelineExecutionArn", "")), answer.get("SourceStepName")
    return place if step in (None, answer["StepName"]) else f"{place} (its step {step})"


def _place(execution: str) -> str:
    pipeline, _, id_ = execution.rpartition(":pipeline/")[2].partition("/execution/")
    return f"{pipeline}/{id_}"


def _value(difference: Mapping[str, Any], member: str) -> str:
    if member not in difference:
        return "(absent)"
    text = json.dumps(difference[member], ensure_ascii=False)
    return escaped(text if len(text) <= _CHARACTERS_MAX else f"{text[:_CHARACTERS_MAX]}...")


def _moment(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
