"""Approvals: callbacks and model packages that wait for an answer, and the forms that give it.

A form names the step and the attempt; the callback's token never leaves the server. What is out of date
answers 409, and says who was first. The list is shown a page at a time, and one item after the other in a
review: a place in it is a moment and a name, so that what others answer meanwhile moves nothing.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from starlette.requests import Request

from passrole import arns
from passrole.console.caller import Caller
from passrole.console.forms import Form, back
from passrole.console.page import Page
from passrole.console.pages.execution import definition_of, execution_arn
from passrole.console.steps import pipeline_of
from passrole.definition import CallbackStep
from passrole.faults import Fault

SHOWN = 50
"""Items of a page."""
LISTED_AT_ONCE = 100
OUTPUT = "output."
"""What the names of a form's fields of outputs begin with."""
_STATUSES = {"approve": "Approved", "reject": "Rejected"}


class Place(NamedTuple):
    """A place in the list of what waits: oldest first, and by name where two are as old."""

    since: float
    name: str

    def __str__(self) -> str:
        return f"{self.since!r}~{self.name}"


class Item(NamedTuple):
    """What waits, as its list has it; what its form needs beside that is asked for when it is shown."""

    place: Place
    kind: str
    listed: Mapping[str, Any]


async def show(caller: Caller, request: Request) -> Page:
    """The page `/approvals`, `?after=PLACE` for what follows, `?review=PLACE` for one after the other."""
    items, asked = await waiting(caller), request.query_params
    if "review" in asked:
        return await _review(caller, items, _place(asked["review"]))
    after = _place(asked.get("after", ""))
    rest = [item for item in items if after is None or item.place > after]
    shown = rest[:SHOWN]
    facts = {
        "waiting": await shown_of(caller, shown),
        "count": len(items),
        "before": len(items) - len(rest),
        "following": min(SHOWN, len(rest) - len(shown)),
        "after": str(shown[-1].place) if len(rest) > SHOWN else None,
    }
    return Page("approvals.html", facts, changes="*")


async def waiting(caller: Caller) -> list[Item]:
    """All that waits and that the caller may see, oldest first."""
    callbacks = [
        Item(Place(each["Issued"], _callback_name(each)), "callback", each)
        for each in (await caller.ask("ListWaitingCallbacks"))["Callbacks"]
    ]
    packages = [
        Item(Place(each["CreationTime"], each["ModelPackageArn"].rpartition(":")[2]), "package", each)
        for each in await _packages(caller)
    ]
    return sorted([*callbacks, *packages], key=lambda item: item.place)


async def shown_of(caller: Caller, items: Sequence[Item]) -> list[dict[str, Any]]:
    """What the cards of the items show, and what the caller may answer."""
    return [await _SHOWN[item.kind](caller, item) for item in items]


async def one_waiting(caller: Caller, execution: str, step: str) -> dict[str, Any] | None:
    """The callback of one step that waits."""
    answer = await caller.ask("ListWaitingCallbacks", PipelineExecutionArn=execution)
    for each in answer["Callbacks"]:
        if each["StepName"] == step:
            return await _callback(caller, Item(Place(each["Issued"], step), "callback", each))
    return None


async def package(caller: Caller, listed: Mapping[str, Any]) -> dict[str, Any]:
    """The card of a model package, as ListModelPackages lists it."""
    return await _package(caller, Item(Place(listed["CreationTime"], ""), "package", listed))


async def answer_callback(caller: Caller, request: Request, form: Form) -> str:
    """ApproveCallback or RejectCallback, which ask for AWS's two permissions."""
    arn = await execution_arn(caller, request.path_params["execution"])
    of = {
        "PipelineExecutionArn": arn,
        "StepName": request.path_params["step"],
        "AttemptCount": request.path_params["attempt"],
        "Comment": form.get("comment", ""),
    }
    if _decision(form) == "approve":
        outputs = [
            {"Name": name.removeprefix(OUTPUT), "Value": value}
            for name, value in form.items()
            if name.startswith(OUTPUT)
        ]
        await caller.ask("ApproveCallback", **of, OutputParameters=outputs)
    else:
        await caller.ask("RejectCallback", **of, FailureReason=form.get("comment") or None)
    return back(form) or "/approvals"


async def answer_package(caller: Caller, request: Request, form: Form) -> str:
    """AnswerModelPackage, which asks for AWS's permission, unless somebody was first."""
    group, version = request.path_params["group"], request.path_params["version"]
    answers = form.get("answers", "")
    await caller.ask(
        "AnswerModelPackage",
        ModelPackageArn=arns.model_package(caller.region, caller.account, f"{group}/{version}"),
        ModelApprovalStatus=_STATUSES[_decision(form)],
        AnswerCount=int(answers) if answers.isdecimal() and len(answers) < _DIGITS_MAX else -1,
        Comment=form.get("comment", ""),
    )
    return back(form) or "/approvals"


_DIGITS_MAX = 6


async def _review(caller: Caller, items: Sequence[Item], at: Place | None) -> Page:
    """The first item at a place or behind it, and where the next one is."""
    index = next((index for index, item in enumerate(items) if at is None or item.place >= at), len(items))
    facts = {
        "waiting": await shown_of(caller, items[index : index + 1]),
        "count": len(items),
        "number": index + 1,
        "previous": str(items[index - 1].place) if 0 < index <= len(items) else None,
        "next": str(items[index + 1].place) if index + 1 < len(items) else None,
    }
    return Page("review.html", facts)


async def _callback(caller: Caller, item: Item) -> dict[str, Any]:
    each = item.listed
    arn = each["PipelineExecutionArn"]
    of = {"PipelineExecutionArn": arn, "StepName": each["StepName"], "AttemptCount": each["AttemptCount"]}
    return {
        "kind": "callback",
        "place": str(item.place),
        "since": each["Issued"],
        "pipeline": arn.split("/")[-3],
        "execution": arn.rpartition("/")[2],
        "step": each["StepName"],
        "attempt": each["AttemptCount"],
        "arguments": each["Arguments"],
        "outputs": await _outputs(caller, arn, each["StepName"]),
        "may_not_approve": await caller.refusal("passrole", "ApproveCallback", **of),
        "may_not_reject": await caller.refusal("passrole", "RejectCallback", **of),
    }


async def _outputs(caller: Caller, arn: str, step: str) -> list[dict[str, str]]:
    """The declared outputs; none where the caller may not see the definition."""
    try:
        found = pipeline_of(await definition_of(caller, arn)).find(step)
    except Fault as fault:
        if not fault.sender:
            raise
        return []
    outputs = found.outputs if isinstance(found, CallbackStep) else ()
    return [{"name": each.name, "type": each.type_} for each in outputs]


async def _packages(caller: Caller) -> list[dict[str, Any]]:
    groups = await caller.listed(
        "sagemaker", "ListModelPackageGroups", "ModelPackageGroupSummaryList", MaxResults=LISTED_AT_ONCE
    )
    found: list[dict[str, Any]] = []
    for group in groups:
        found += await caller.listed(
            "sagemaker",
            "ListModelPackages",
            "ModelPackageSummaryList",
            ModelPackageGroupName=group["ModelPackageGroupName"],
            ModelApprovalStatus="PendingManualApproval",
            MaxResults=LISTED_AT_ONCE,
        )
    return found


async def _package(caller: Caller, item: Item) -> dict[str, Any]:
    each, arn = item.listed, item.listed["ModelPackageArn"]
    refused = await caller.refusal("sagemaker", "DescribeModelPackage", ModelPackageName=arn)
    described: dict[str, Any] = {}
    answers: list[dict[str, Any]] = []
    if refused is None:
        described = await caller.call("sagemaker", "DescribeModelPackage", ModelPackageName=arn)
        answers = (await caller.ask("ListModelPackageAnswers", ModelPackageArn=arn))["Answers"]
    may_not = partial(
        caller.refusal, "passrole", "AnswerModelPackage", ModelPackageArn=arn, AnswerCount=len(answers)
    )
    return {
        "kind": "package",
        "place": str(item.place),
        "since": each["CreationTime"],
        "group": each["ModelPackageGroupName"],
        "version": each["ModelPackageVersion"],
        "description": each.get("ModelPackageDescription", ""),
        "metrics": described.get("ModelMetrics", {}),
        "properties": described.get("CustomerMetadataProperties", {}),
        "answers": answers,
        "may_not_approve": await may_not(ModelApprovalStatus="Approved"),
        "may_not_reject": await may_not(ModelApprovalStatus="Rejected"),
    }


_SHOWN = {"callback": _callback, "package": _package}


def _callback_name(each: Mapping[str, Any]) -> str:
    return f"{each['PipelineExecutionArn'].rpartition('/')[2]}/{each['StepName']}/{each['AttemptCount']}"


def _place(text: str) -> Place | None:
    """Raises ValidationException."""
    if not text:
        return None
    since, _, name = text.partition("~")
    try:
        return Place(float(since), name)
    except ValueError:
        raise Fault("ValidationException", "there is no such place in the list") from None


def _decision(form: Form) -> str:
    decision = form.get("decision", "")
    if decision not in _STATUSES:
        raise Fault("ValidationException", "choose Approve or Reject")
    return decision
