"""Check: a definition and a policy, pasted, and the table that `passrole check` prints of them."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.requests import Request

from passrole import arns
from passrole.arns import InvalidPart
from passrole.console.caller import Caller
from passrole.console.forms import Form
from passrole.console.page import Page
from passrole.definition import DefinitionError
from passrole.needs import (
    Answer,
    Place,
    evaluate_needs,
    execution_role_session,
    keys_of_calls,
    needs_of_role,
    read_definition,
)
from passrole.needs.document import UnreadableDefinition
from passrole.policy import MalformedPolicyDocument, PolicySet, parse_document
from passrole.policy.managed import policies
from passrole.policy.request_keys import time_keys

INTEGRATIONS: Final = "arn:aws:iam::aws:policy/AmazonSageMakerPipelinesIntegrations"
_ROLE_NAME: Final = "PastedRole"


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
    given = {"definition": form.get("definition", ""), "policy": form.get("policy", "").strip()}
    try:
        answers = await asyncio.to_thread(_answers, caller, given["definition"], given["policy"])
    except (DefinitionError, UnreadableDefinition, MalformedPolicyDocument, ValueError) as error:
        return _page(given, problem=str(error), status=400)
    return _page(given, answers=[_shown(each) for each in answers])


def _page(
    given: Mapping[str, str],
    *,
    answers: list[dict[str, Any]] | None = None,
    problem: str | None = None,
    status: int = 200,
) -> Page:
    counted = None if answers is None else [each for each in answers if each["counts_against"]]
    facts = {**given, "answers": answers, "missing": counted, "problem": problem, "managed": INTEGRATIONS}
    return Page("check.html", facts, status)


def _answers(caller: Caller, definition: str, policy: str) -> list[Answer]:
    """Raises ValueError for a policy that is no JSON, and what reading raises."""
    document = orjson.loads(policy) if policy else policies()[INTEGRATIONS].default.document
    place = Place(caller.region, caller.account)
    role = arns.iam(caller.account, "role", "/", _ROLE_NAME)
    try:
        wanted = needs_of_role(read_definition(definition, {}), place)
    except InvalidPart as error:
        raise ValueError(str(error)) from error
    keys = {**keys_of_calls(place), **time_keys(int(time.time()))}
    own = PolicySet(identity=(((policy and "the pasted policy") or INTEGRATIONS, parse_document(document)),))
    return evaluate_needs(wanted, execution_role_session(role), own, keys=keys)


def _shown(answer: Answer) -> dict[str, Any]:
    return {
        "step": answer.need.step,
        "action": answer.need.action,
        "resource": answer.need.resource,
        "verdict": answer.verdict,
        "why": answer.need.why,
        "optional": answer.need.optional,
        "counts_against": answer.counts_against,
        "reason": answer.reason,
        "near_misses": list(answer.near_misses),
        "grant": answer.grant,
    }
