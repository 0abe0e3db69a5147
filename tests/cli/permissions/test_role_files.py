"""The forms in which roles and policies are read: files as AWS's, HashiCorp's and CDK's tools write them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.cli.conftest import Write
from tests.policies import allowing

from passrole.cli import main

FILES = Path(__file__).parent / "role_files"
PIPELINE = str(FILES / "pipeline.json")
ROLE = "arn:aws:iam::111122223333:role/service-role/pipeline-role"


def check(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["check", *arguments], prog_name="passrole", input=stdin)


def against(file: str, *more: str) -> Result:
    return check(PIPELINE, "--policy", str(FILES / file), *more)


@pytest.mark.parametrize(
    "file, form",
    [
        ("policy-document.json", ""),
        ("policy-document.yaml", ""),
        ("get-role-policy.json", "the answer of `aws iam get-role-policy`"),
        ("get-policy-version.json", "the answer of `aws iam get-policy-version`"),
        ("authorization-details.json", "the answer of `aws iam get-account-authorization-details`"),
        ("template.yaml", "a CloudFormation template"),
        ("template.json", "a CloudFormation template"),
        ("cdk.template.json", "a CDK template"),
        ("terraform-state.json", "a state of `terraform show -json`"),
        ("terraform-plan.json", "a plan of `terraform show -json`"),
    ],
)
def test_each_form_is_read_and_said(file: str, form: str) -> None:
    result = against(file)
    assert (result.exit_code, result.stderr) == (0, result.stderr), result.output
    assert (form in result.stderr) and bool(form) == bool(result.stderr)
    # Without the role's queue policy something is missing: the files are what decides.
    less = check(PIPELINE, "--policy", str(FILES / file), "--boundary", str(FILES / "lambda-only.json"))
    assert (less.exit_code, "missing  sqs:SendMessage" in less.stdout) == (1, True)


@pytest.mark.parametrize("file", sorted(each.name for each in FILES.iterdir() if each.suffix != ".md"))
def test_the_ending_does_not_hide_the_content(file: str, tmp_path: Path) -> None:
    copy = tmp_path / "without-an-ending"
    shutil.copy(FILES / file, copy)
    one, other = against(file), check(PIPELINE, "--policy", str(copy))
    assert one.exit_code == other.exit_code
    assert one.stdout.replace(file, "X") == other.stdout.replace(copy.name, "X")


def test_a_policy_comes_from_standard_input() -> None:
    text = (FILES / "template.yaml").read_text()
    result = check(PIPELINE, "--policy", "-", stdin=text)
    assert (result.exit_code, "standard input is a CloudFormation template" in result.stderr) == (0, True)


@pytest.mark.parametrize(
    "file", ["get-role.json", "authorization-details.json", "template.yaml", "terraform-state.json"]
)
def test_trust_is_read_from_the_forms_that_have_it(file: str) -> None:
    policy = str(FILES / "policy-document.json")
    result = check(PIPELINE, "--policy", policy, "--trust", str(FILES / file))
    assert (result.exit_code, "allowed  sts:AssumeRole" in result.stdout) == (0, True)
    assert "its trust policy" in result.stderr


@pytest.mark.parametrize(
    "option, file, message",
    [
        ("--policy", "get-role.json", "it has no policy; add one with --policy"),
        ("--policy", "describe-pipeline.json", "`aws iam get-account-authorization-details`"),
        ("--trust", "get-role-policy.json", "has no trust policy; `aws iam get-role` answers with it"),
        (
            "--policy",
            "pipeline.json",
            "it is none of the forms that are read: a policy document, the answer of",
        ),
    ],
)
def test_what_a_form_lacks_is_said_with_what_has_it(option: str, file: str, message: str) -> None:
    more = [] if option == "--policy" else ["--managed-version", "v3"]
    result = check(PIPELINE, option, str(FILES / file), *more)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert message in result.stderr


def test_of_several_roles_the_first_that_sagemaker_may_assume_is_taken_and_another_can_be_named() -> None:
    taken = against("authorization-details.json")
    assert "using 2 policies and the trust policy of its role `pipeline-role`" in taken.stderr
    assert "it also has `bastion`, `another-role`: name another role with " in taken.stderr
    named = against("authorization-details.json:another-role", "-p", "x=1")
    assert (named.exit_code, "has no parameter `x`" in named.stderr) == (2, True)
    named = against("authorization-details.json:another-role")
    assert (named.exit_code, "statement 2 of AmazonSageMakerPipelinesIntegrations" in named.stdout) == (
        1,
        True,
    )
    by_arn = against(f"authorization-details.json:{ROLE}")
    assert (by_arn.exit_code, "it also has" in by_arn.stderr) == (0, False)
    distrusted = against("authorization-details.json:bastion")
    assert (distrusted.exit_code, "missing  sts:AssumeRole" in distrusted.stdout) == (1, True)
    nobody = against("authorization-details.json:nobody")
    assert (nobody.exit_code, "has no role and no policy `nobody`; it has `bastion`" in nobody.stderr) == (
        2,
        True,
    )


def test_the_pipeline_that_is_described_names_its_role(tmp_path: Path) -> None:
    described = json.loads((FILES / "describe-pipeline.json").read_text())
    described["RoleArn"] = "arn:aws:iam::111122223333:role/another-role"
    file = tmp_path / "described.json"
    file.write_text(json.dumps(described))
    details = str(FILES / "authorization-details.json")
    assert check(str(FILES / "describe-pipeline.json"), "--policy", details).exit_code == 0
    result = check(str(file), "--policy", details)
    assert (result.exit_code, "of its role `another-role`" in result.stderr) == (1, True)
    assert "pipeline/counting" in result.stdout


def test_a_version_takes_the_place_of_the_attached_one(tmp_path: Path) -> None:
    pipeline = tmp_path / "pipeline.json"
    pipeline.write_text(Path(PIPELINE).read_text().replace("count", "sagemaker-count"))
    role = ("--policy", str(FILES / "authorization-details.json:another-role"))
    old, new = (check(str(pipeline), *role, "--managed-version", each).stdout for each in ("v1", "v3"))
    assert ("optional lambda:GetFunction" in old, "optional lambda:GetFunction" in new) == (True, False)


def test_what_a_template_does_not_tell_is_a_warning_and_allows_nothing(write: Write, tmp_path: Path) -> None:
    text = (FILES / "template.yaml").read_text()
    file = tmp_path / "template.yaml"
    file.write_text(text.replace("    Default: approvals\n", ""))
    result = check(PIPELINE, "--policy", str(file))
    assert (result.exit_code, "missing  sqs:SendMessage" in result.stdout) == (1, True)
    assert "{QueueName}` is known only when the template is deployed" in result.stdout
    file.write_text(text.replace("!GetAtt Approvals.Arn", "!ImportValue Exported"))
    result = check(PIPELINE, "--policy", str(file))
    assert (result.exit_code, "arn:*:unknown:::{ImportValue:Exported}" in result.stdout) == (1, True)


def test_a_plan_says_what_only_its_application_will_tell() -> None:
    result = against("terraform-plan.json")
    assert (
        'a resource of `module.pipeline["a.b"].data.aws_iam_policy_document.steps` is known' in result.stdout
    )


def test_an_attached_policy_without_its_document_is_a_warning(tmp_path: Path) -> None:
    details = json.loads((FILES / "authorization-details.json").read_text())
    details["Policies"] = []
    file = tmp_path / "details.json"
    file.write_text(json.dumps(details))
    result = check(PIPELINE, "--policy", str(file))
    assert result.exit_code == 1
    assert (
        "`arn:aws:iam::111122223333:policy/queues` is attached to `pipeline-role`, and its" in result.stdout
    )


def test_a_policy_that_aws_would_refuse_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(
        (FILES / "template.yaml")
        .read_text()
        .replace("Effect: Allow\n          Action: sqs", "Effect: Al\n          Action: sqs")
    )
    result = check(PIPELINE, "--policy", str(file))
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "line 73, column 9: the policy `queue` is not a usable policy" in result.stderr


def laughing() -> str:
    lines = ["a0: &a0 [lol, lol]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "text, message",
    [
        (laughing(), "line 2, column 10: the alias `*a0` is not read"),
        (
            "a: !!python/object/apply:os.system [touch /tmp/x]",
            "the tag `!!python/object/apply:os.system` is not",
        ),
        ("a: !Nonsense x", "line 1, column 4: the tag `!Nonsense` is not read"),
        ("a: " + "[" * 300 + "]" * 300, "it nests deeper than 100 levels"),
        ("a: 1\na: 2", "line 2, column 1: the key `a` occurs twice"),
        ("a: 1\n---\nb: 2", "a second document begins"),
        ("a: [1", "is not usable YAML: line "),
        ("? [1, 2]\n: 3", "a key is not a plain text"),
        ("- " * 1_200_000, "YAML is read up to 2000000"),
        ('{"a": ' * 5000 + "1" + "}" * 5000, "is not a usable policy"),
        ('{"a": 1, "a": 2}', "the key `a` occurs twice"),
    ],
    ids=lambda text: text[:20],
)
def test_a_hostile_text_is_refused_with_its_reason(tmp_path: Path, text: str, message: str) -> None:
    for name in ("x.yaml", "x"):
        file = tmp_path / name
        file.write_text(text)
        result = check(PIPELINE, "--policy", str(file))
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
        assert message in result.stderr


def test_an_endless_file_is_refused() -> None:
    result = check(PIPELINE, "--policy", "/dev/zero")
    assert (result.exit_code, "larger than 64 MiB" in result.stderr) == (2, True)


@pytest.mark.parametrize("value", [[], "x", {"Resources": {"A": 1}}, {"Role": {}}, {"planned_values": {}}])
def test_a_file_that_only_looks_like_a_form_is_refused_in_one_line(write: Write, value: Any) -> None:
    result = check(PIPELINE, "--policy", write("odd.json", value))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


def test_the_caller_and_the_jobs_role_take_the_forms_as_well(write: Write) -> None:
    caller = {"UserName": "ann", "PolicyName": "deploy", "PolicyDocument": allowing("sagemaker:*", "iam:*")}
    result = against("policy-document.json", "--caller", write("caller.json", caller))
    assert (result.exit_code, "needs    sagemaker:CreatePipeline" in result.stdout) == (0, False)
