"""The forms of files with roles and policies, in the order in which they are recognised by their content."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from passrole.cli.documents import Document
from passrole.cli.permissions.role_files import aws_answers, cloudformation, terraform
from passrole.cli.permissions.role_files.described import Role, RoleFile
from passrole.needs import Place

_Value = dict[str, Any]


class Form(NamedTuple):
    """`label` is for people, after `is`; `has` recognises the value of a file, and `read` reads it."""

    label: str
    has: Callable[[_Value], bool]
    read: Callable[[_Value, str, Place], RoleFile]


class UnknownForm(Exception):
    """The file has none of the forms; the message says which there are."""


def read_role_file(document: Document, place: Place) -> RoleFile:
    """The roles and policies of a file. Raises UnknownForm."""
    value = document.value
    if isinstance(value, dict):
        for form in FORMS:
            if form.has(value):
                try:
                    return form.read(value, form.label, place)
                except (AttributeError, KeyError, TypeError, ValueError) as error:
                    raise UnknownForm(f"it looks like {form.label}, but has not its members") from error
    raise UnknownForm(f"it is none of the forms that are read: {', '.join(each.label for each in FORMS)}")


def _of_answer(read: Callable[[_Value, str], RoleFile]) -> Callable[[_Value, str, Place], RoleFile]:
    return lambda value, form, _place: read(value, form)


def _is_template(value: Mapping[str, Any]) -> bool:
    resources = value.get("Resources")
    return isinstance(resources, dict) and any(
        isinstance(each, dict) and isinstance(each.get("Type"), str) for each in resources.values()
    )


def _is_state(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("values"), dict) and "format_version" in value


def _described_pipeline(value: _Value, form: str) -> RoleFile:
    """The role's name alone; which policies it has, DescribePipeline does not tell."""
    arn = str(value.get("RoleArn", ""))
    return RoleFile(form, (Role((arn.rpartition("/")[2], arn)),))


FORMS: Final[tuple[Form, ...]] = (
    Form("a policy document", lambda value: "Statement" in value, _of_answer(aws_answers.policy_document)),
    Form(
        "the answer of `aws iam get-role`",
        lambda value: isinstance(value.get("Role"), dict) or isinstance(value.get("Roles"), list),
        _of_answer(aws_answers.get_role),
    ),
    Form(
        "the answer of `aws iam get-role-policy`",
        lambda value: "PolicyDocument" in value,
        _of_answer(aws_answers.get_role_policy),
    ),
    Form(
        "the answer of `aws iam get-policy-version`",
        lambda value: isinstance(value.get("PolicyVersion"), dict) or "Document" in value,
        _of_answer(aws_answers.get_policy_version),
    ),
    Form(
        "the answer of `aws iam get-account-authorization-details`",
        lambda value: isinstance(value.get("RoleDetailList"), list),
        _of_answer(aws_answers.authorization_details),
    ),
    Form(
        "the answer of `aws sagemaker describe-pipeline`",
        lambda value: "PipelineArn" in value and "RoleArn" in value,
        _of_answer(_described_pipeline),
    ),
    Form(
        "a CDK template",
        lambda value: _is_template(value) and cloudformation.is_cdk(value),
        cloudformation.template,
    ),
    Form("a CloudFormation template", _is_template, cloudformation.template),
    Form(
        "a plan of `terraform show -json`",
        lambda value: isinstance(value.get("planned_values"), dict),
        _of_answer(terraform.show),
    ),
    Form("a state of `terraform show -json`", _is_state, _of_answer(terraform.show)),
)
