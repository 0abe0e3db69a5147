"""Rules about privilege escalation: permissions with which their holder can obtain all others.

The whole document is checked: one statement may deny what another allows, and combinations may be spread over
statements. Only permissions on all resources of a type count, because a document does not tell who is
attached to what it names. Administrators (`*`, `iam:*`) are left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from passrole.policy.lint.access import PASSING, is_every_role
from passrole.policy.lint.findings import DocumentRule, Element, Finding, allows, keys_of, listed, sid_of
from passrole.policy.matching import action_matcher
from passrole.policy.syntax import DocumentKind

# Condition keys that limit the permission enough.
_LIMITS: Final = frozenset({"iam:permissionsboundary", "iam:policyarn", "iam:resourcetag", "aws:resourcetag"})
_ADMINISTRATOR: Final = frozenset({"*", "iam:*"})
_OWN: Final = "${aws:username}"
_PASSROLE_NAME: Final = "iam:PassRole"

# Actions that suffice alone, and how.
_ALONE: Final[Sequence[tuple[str, str]]] = (
    ("iam:CreatePolicyVersion", "write any permission into a policy that it has"),
    ("iam:SetDefaultPolicyVersion", "choose the version of a policy that allows most"),
    ("iam:AttachUserPolicy", "attach any policy to itself"),
    ("iam:AttachGroupPolicy", "attach any policy to its group"),
    ("iam:AttachRolePolicy", "attach any policy to a role that it has"),
    ("iam:PutUserPolicy", "write any policy for itself"),
    ("iam:PutGroupPolicy", "write any policy for its group"),
    ("iam:PutRolePolicy", "write any policy for a role that it has"),
    ("iam:AddUserToGroup", "join any group"),
    ("iam:CreateAccessKey", "create access keys of any user"),
    ("iam:CreateLoginProfile", "give any user a password"),
    ("iam:UpdateLoginProfile", "change any user's password"),
    ("iam:UpdateAssumeRolePolicy", "make any role trust it"),
    ("iam:DeleteUserPermissionsBoundary", "take its boundary away"),
    ("iam:DeleteRolePermissionsBoundary", "take its role's boundary away"),
    ("lambda:UpdateFunctionCode", "run any code as the role of any function"),
)
# Actions that, with iam:PassRole, run code as the passed role.
_PASSED: Final[Sequence[tuple[str, ...]]] = (
    ("lambda:CreateFunction", "lambda:InvokeFunction"),
    ("lambda:CreateFunction", "lambda:AddPermission"),
    ("lambda:CreateFunction", "lambda:CreateEventSourceMapping"),
    ("lambda:CreateFunction", "events:PutTargets"),
    ("sagemaker:CreatePipeline", "sagemaker:StartPipelineExecution"),
    ("sagemaker:UpdatePipeline", "sagemaker:StartPipelineExecution"),
    ("sagemaker:CreateTrainingJob",),
    ("sagemaker:CreateProcessingJob",),
    ("sagemaker:CreateNotebookInstance", "sagemaker:CreatePresignedNotebookInstanceUrl"),
    ("elasticmapreduce:RunJobFlow",),
    ("ec2:RunInstances",),
    ("ecs:RunTask", "ecs:RegisterTaskDefinition"),
    ("glue:CreateDevEndpoint",),
    ("glue:CreateJob", "glue:StartJobRun"),
    ("cloudformation:CreateStack",),
    ("datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"),
    ("codebuild:CreateProject", "codebuild:StartBuild"),
    ("states:CreateStateMachine", "states:StartExecution"),
)


def _escalations(
    _document: Element, statements: Sequence[Element], kind: DocumentKind, code: str
) -> Iterator[Finding]:
    if kind in ("resource", "trust"):
        return
    for action, gain in _ALONE:
        at = _allowing(statements, action)
        if at is not None:
            message = f"privilege escalation: with {action} on all resources its holder can {gain}; {_ADVICE}"
            yield Finding("warning", at, sid_of(statements[at]), message, code)
    passing = _allowing(statements, _PASSROLE_NAME)
    if passing is None:
        return
    for actions in _PASSED:
        if all(_allowing(statements, action) is not None for action in actions):
            names = " and ".join(actions)
            message = (
                f"privilege escalation: with iam:PassRole of every role and {names} its holder can run code"
                " as the most powerful role; name the roles that may be passed"
            )
            yield Finding("warning", passing, sid_of(statements[passing]), message, code)


def _allowing(statements: Sequence[Element], action: str) -> int | None:
    """The first statement that allows the action on all resources of its type, unless another denies it."""
    lowered = action.lower()
    found = next((at for at, one in enumerate(statements) if allows(one) and _covers(one, lowered)), None)
    denied = any(not allows(one) and _covers(one, lowered) and "Condition" not in one for one in statements)
    return None if denied else found


def _covers(element: Element, action: str) -> bool:
    texts = listed(element, "Action")
    if allows(element) and not _ADMINISTRATOR.isdisjoint(map(str.lower, texts)):
        return False
    limits = {key.partition("/")[0] for key in keys_of(element)} & _LIMITS
    fits = any(action_matcher(text)(action) for text in texts)
    return fits and not limits and any(_is_wide(text, action) for text in listed(element, "Resource"))


def _is_wide(resource: str, action: str) -> bool:
    if action == PASSING:
        return is_every_role(resource)
    name = resource.split(":", 5)[-1]
    own = _OWN in name and action in ("iam:putuserpolicy", "iam:attachuserpolicy")
    return own or name == "*" or name.endswith(("/*", ":*"))


_ADVICE: Final = "name the resources, or add a condition on iam:PolicyARN or iam:PermissionsBoundary"

DOCUMENT_RULES: Final[Mapping[str, DocumentRule]] = {"PR305": _escalations}
