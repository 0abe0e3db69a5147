"""Whether one principal may both start a pipeline and approve what it asks: IAM has no rule against that.

To approve is to answer a Callback step, or to approve a package that a RegisterModel step leaves pending.
"""

from collections.abc import Iterator, Mapping

from passrole.needs.advice import Warned
from passrole.needs.document import Definition, RawStep
from passrole.needs.need import ANY, Need, Place
from passrole.needs.verdicts import Answer, evaluate_needs
from passrole.policy.evaluate import PolicySet
from passrole.policy.request import Principal, Values

START = "sagemaker:StartPipelineExecution"
ANSWER = "sagemaker:SendPipelineExecutionStepSuccess"
APPROVE = "sagemaker:UpdateModelPackage"
_DECIDED = ("Approved", "Rejected")


def starts_and_approves(
    definition: Definition,
    pipeline: str,
    who: str,
    principal: Principal,
    policies: PolicySet,
    *,
    place: Place,
    keys: Mapping[str, Values],
) -> list[Warned]:
    """A warning for each step that `who` may answer and may also start, in the pipeline of this name."""
    arn = place.arn("sagemaker", f"pipeline/{pipeline or ANY}")
    start = Need(None, START, arn, "starts it", is_pattern=not pipeline)
    answers = list(_answers(definition, arn, place))
    if not answers:
        return []
    verdicts = evaluate_needs([start, *answers], principal, policies, keys=keys)
    if not verdicts[0].allowed:
        return []
    return [_warned(who, verdict) for verdict in verdicts[1:] if verdict.allowed]


def _answers(definition: Definition, pipeline: str, place: Place) -> Iterator[Need]:
    for step in definition.steps:
        if step.type == "Callback":
            yield Need(step.name, ANSWER, f"{pipeline}/execution/{ANY}", "answers it", is_pattern=True)
        if step.type == "RegisterModel" and _waits(definition, step):
            group = definition.text(step.arguments.get("ModelPackageGroupName", ANY)).rpartition("/")[2]
            package = place.arn("sagemaker", f"model-package/{group}/{ANY}")
            keys = {"sagemaker:ModelApprovalStatus": "Approved"}
            yield Need(step.name, APPROVE, package, "approves its package", keys, is_pattern=True)


def _waits(definition: Definition, step: RawStep) -> bool:
    status = step.arguments.get("ModelApprovalStatus")
    return status is None or definition.text(status) not in _DECIDED


def _warned(who: str, answer: Answer) -> Warned:
    need = answer.need
    message = f"{who} may both start the pipeline and approve step `{need.step}` ({need.action})"
    return Warned("PR210", need.step, message)
