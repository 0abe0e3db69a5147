"""Approvals: callbacks and model packages that wait for an answer, and the forms that give it.

A form names the step and the attempt; the callback's token never leaves the server. What is out of date
answers 409, and says who was first.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.requests import Request

from passrole import arns
from passrole.console.caller import Caller
from passrole.console.forms import Form
from passrole.console.page import Page
from passrole.console.pages.execution import definition_of, execution_arn
from passrole.console.steps import pipeline_of
from passrole.definition import CallbackStep
from passrole.faults import Fault

OUTPUT = "output."
"""What the names of a form's fields of outputs begin with."""
_STATUSES = {"approve": "Approved", "reject": "Rejected"}


async def show(caller: Caller, _request: Request) -> Page:
    """The page `/approvals`."""
    return Page("approvals.html", {"waiting": await waiting(caller)}, changes="*")


async def waiting(caller: Caller) -> list[dict[str, Any]]:
    """All that waits and that the caller may see, oldest first, and what of it the caller may answer."""
    callbacks = (await caller.ask("ListWaitingCallbacks"))["Callbacks"]
    found = [await _callback(caller, each) for each in callbacks]
    packages = await _packages(caller)
    return sorted([*found, *packages], key=lambda each: each["since"])


async def one_waiting(caller: Caller, execution: str, step: str) -> dict[str, Any] | None:
    """The callback of one step that waits."""
    callbacks = (await caller.ask("ListWaitingCallbacks"))["Callbacks"]
    for each in callbacks:
        if (each["PipelineExecutionArn"], each["StepName"]) == (execution, step):
            return await _callback(caller, each)
    return None


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
    return _back(form)


async def answer_package(caller: Caller, request: Request, form: Form) -> str:
    """UpdateModelPackage with an approval status, unless somebody was first."""
    group, version = request.path_params["group"], request.path_params["version"]
    arn = arns.model_package(caller.region, caller.account, f"{group}/{version}")
    described = await caller.call("sagemaker", "DescribeModelPackage", ModelPackageName=arn)
    if described["ModelApprovalStatus"] != "PendingManualApproval":
        by = described.get("LastModifiedBy", {}).get("IamIdentity", {}).get("Arn", "somebody")
        word = described["ModelApprovalStatus"].lower()
        raise Fault("ConflictException", f"Version {version} of {group} was {word} by {by} already.")
    await caller.call(
        "sagemaker",
        "UpdateModelPackage",
        ModelPackageArn=arn,
        ModelApprovalStatus=_STATUSES[_decision(form)],
        ApprovalDescription=form.get("comment") or None,
    )
    return _back(form)


async def _callback(caller: Caller, each: Mapping[str, Any]) -> dict[str, Any]:
    arn = each["PipelineExecutionArn"]
    of = {"PipelineExecutionArn": arn, "StepName": each["StepName"], "AttemptCount": each["AttemptCount"]}
    return {
        "kind": "callback",
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
    groups = await caller.listed("sagemaker", "ListModelPackageGroups", "ModelPackageGroupSummaryList")
    found: list[dict[str, Any]] = []
    for group in groups:
        packages = await caller.listed(
            "sagemaker",
            "ListModelPackages",
            "ModelPackageSummaryList",
            ModelPackageGroupName=group["ModelPackageGroupName"],
            ModelApprovalStatus="PendingManualApproval",
        )
        found += [await _package(caller, each) for each in packages]
    return found


async def _package(caller: Caller, each: Mapping[str, Any]) -> dict[str, Any]:
    arn = each["ModelPackageArn"]
    may_not = partial(caller.refusal, "sagemaker", "UpdateModelPackage", ModelPackageArn=arn)
    refused = await caller.refusal("sagemaker", "DescribeModelPackage", ModelPackageName=arn)
    described = (
        {} if refused else await caller.call("sagemaker", "DescribeModelPackage", ModelPackageName=arn)
    )
    return {
        "kind": "package",
        "since": each["CreationTime"],
        "group": each["ModelPackageGroupName"],
        "version": each["ModelPackageVersion"],
        "description": each.get("ModelPackageDescription", ""),
        "metrics": described.get("ModelMetrics", {}),
        "properties": described.get("CustomerMetadataProperties", {}),
        "may_not_approve": await may_not(ModelApprovalStatus="Approved"),
        "may_not_reject": await may_not(ModelApprovalStatus="Rejected"),
    }


def _decision(form: Form) -> str:
    decision = form.get("decision", "")
    if decision not in _STATUSES:
        raise Fault("ValidationException", "choose Approve or Reject")
    return decision


def _back(form: Form) -> str:
    """To the page that the form was on: the inbox or the approvals, no other."""
    return form.get("back", "/approvals") if form.get("back") in ("/", "/approvals") else "/approvals"
