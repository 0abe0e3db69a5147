"""Check: a definition and a policy, pasted or as files, and the table of `passrole check`."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from starlette.requests import Request

from passrole import arns
from passrole.arns import InvalidPart
from passrole.console.caller import Caller
from passrole.console.forms import Form
from passrole.console.graph import layout
from passrole.console.page import Page
from passrole.definition import DefinitionError, parse_stored
from passrole.needs import (
    Answer,
    Place,
    coded_warnings,
    evaluate_needs,
    execution_role_session,
    keys_of_calls,
    needs_of_role,
    read_definition,
    refusals,
    starts_and_approves,
)
from passrole.needs.document import UnreadableDefinition
from passrole.policy import MalformedPolicyDocument, PolicySet, parse_document
from passrole.policy.managed import policies
from passrole.policy.request_keys import time_keys

INTEGRATIONS: Final = "arn:aws:iam::aws:policy/AmazonSageMakerPipelinesIntegrations"
_ROLE_NAME: Final = "PastedRole"
_WORST_FIRST: Final = ("Denied", "Maybe", "Allowed")


async def show(caller: Caller, request: Request) -> Page:
    """The empty form, or with `?pipeline=NAME` that pipeline's definition in it."""
    name = request.query_params.get("pipeline")
    definition = ""
    if name:
        described = await caller.call("sagemaker", "DescribePipeline", PipelineName=name)
        definition = described["PipelineDefinition"]
    return _page({"definition": definition, "policy": ""})


async def check(caller: Caller, _request: Request, form: Form) -> Page:
    """The verdict on each permission. Nothing is stored, and nothing is asked of the server's own roles."""
    given = {
        name: (form.get(f"{name}_file") or form.get(name, "")).strip() for name in ("definition", "policy")
    }
    try:
        answers, warnings = await asyncio.to_thread(_checked, caller, given["definition"], given["policy"])
    except (DefinitionError, UnreadableDefinition, MalformedPolicyDocument, ValueError) as error:
        return _page(given, problem=str(error), status=400)
    shown = _in_order([_shown(each) for each in answers])
    graph = await asyncio.to_thread(_graph, given["definition"], shown)
    return _page(given, answers=shown, graph=graph, warnings=warnings)


def _page(
    given: Mapping[str, str],
    *,
    answers: list[dict[str, Any]] | None = None,
    graph: Mapping[str, Any] | None = None,
    warnings: Sequence[str] = (),
    problem: str | None = None,
    status: int = 200,
) -> Page:
    counted = None if answers is None else [each for each in answers if each["counts_against"]]
    facts = {
        **given,
        "answers": answers,
        "missing": counted,
        "graph": graph,
        "warnings": warnings,
        "problem": problem,
        "managed": INTEGRATIONS,
    }
    return Page("check.html", facts, status)


def _checked(caller: Caller, definition: str, policy: str) -> tuple[list[Answer], list[str]]:
    """The verdicts and warnings. Raises ValueError for a policy that is no JSON, and what reading raises."""
    document = orjson.loads(policy) if policy else policies()[INTEGRATIONS].default.document
    place = Place(caller.region, caller.account)
    role = arns.iam(caller.account, "role", "/", _ROLE_NAME)
    try:
        read = read_definition(definition, {})
        wanted = needs_of_role(read, place)
    except InvalidPart as error:
        raise ValueError(str(error)) from error
    keys = {**keys_of_calls(place), **time_keys(int(time.time()))}
    own = PolicySet(identity=(((policy and "the pasted policy") or INTEGRATIONS, parse_document(document)),))
    principal = execution_role_session(role)
    answers = evaluate_needs(wanted, principal, own, keys=keys)
    both = starts_and_approves(read, "", "the role", principal, own, place=place, keys=keys)
    return answers, [
        each.message for each in [*refusals(definition, read), *coded_warnings(read, answers, None), *both]
    ]


def _in_order(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a step together; `is_first` of a step is where its box in the graph leads to."""
    order = {step: place for place, step in enumerate(dict.fromkeys(each["step"] for each in answers))}
    ordered = sorted(answers, key=lambda each: order[each["step"]])
    seen: set[str] = set()
    for each in ordered:
        each["is_first"] = each["step"] not in seen
        seen.add(each["step"])
    return ordered


def _graph(definition: str, answers: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The steps with the worst verdict of each; None of a definition that only the check can read."""
    try:
        pipeline = parse_stored(definition)
    except DefinitionError:
        return None
    found = pipeline.graph
    words = {name: {each["word"] for each in answers if each["step"] == name} for name in pipeline.steps}
    lines = {
        name: {
            "status": next((word for word in _WORST_FIRST if word in words[name]), "Nothing asked"),
            "type_": step.type_,
            "attempt": 1,
            "is_cached": False,
        }
        for name, step in pipeline.steps.items()
    }
    return {"picture": layout(found.dependencies, found.order()), "steps": lines}


def _word(answer: Answer) -> str:
    """The verdict in the words of the page."""
    if answer.verdict in ("allowed", "maybe"):
        return "Allowed" if answer.verdict == "allowed" else "Maybe"
    return "Denied" if answer.counts_against else "Not needed"


def _shown(answer: Answer) -> dict[str, Any]:
    return {
        "step": answer.need.step,
        "action": answer.need.action,
        "resource": answer.need.resource,
        "verdict": answer.verdict,
        "why": answer.need.why,
        "optional": answer.need.optional,
        "counts_against": answer.counts_against,
        "word": _word(answer),
        "reason": answer.reason,
        "near_misses": list(answer.near_misses),
        "grant": answer.grant,
    }
