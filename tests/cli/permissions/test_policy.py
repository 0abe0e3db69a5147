"""`passrole policy diff`, `versions` and `lint`: exit codes, text and JSON."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.cli.conftest import TRAINING
from tests.conftest import Server
from tests.policies import allowing

from passrole.cli import main
from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies

FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:f"
PIPELINE = {"Steps": [{"Name": "Run", "Type": "Lambda", "FunctionArn": FUNCTION, "Arguments": {}}]}
Write = Callable[[str, Any], str]


def policy(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["policy", *arguments], prog_name="passrole")


def test_diff_tells_what_is_missing_and_what_is_idle(write: Write) -> None:
    role = write("role.json", allowing("lambda:GetFunction", "sqs:SendMessage", Sid="Mine"))
    result = policy("diff", role, write("p.json", PIPELINE))
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"- lambda:InvokeFunction on {FUNCTION}  (step `Run`)",
        "    statement 1 (`Mine`) of role.json allows `lambda:GetFunction`, but not lambda:InvokeFunction",
        "+ sqs:SendMessage  (statement 1 (`Mine`) of role.json)",
        "1 missing, 1 unused",
    ]


def test_diff_is_0_where_nothing_is_missing_whatever_is_idle(write: Write) -> None:
    role = write("role.json", allowing("lambda:*", "sqs:SendMessage"))
    result = policy("diff", role, write("p.json", PIPELINE), "--format", "json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["missing"]) == (0, [])
    assert found["unused"] == [
        {"policy": "role.json", "statement": 0, "sid": None, "actions": ["sqs:SendMessage"]}
    ]


def test_diff_of_what_generate_writes_is_empty(write: Write) -> None:
    file = write("p.json", PIPELINE)
    role = write("role.json", policy("generate", file, "--for", "role").stdout)
    result = policy("diff", role, file)
    assert (result.exit_code, result.stdout) == (0, "0 missing, 0 unused\n")


def encrypting() -> dict[str, Any]:
    """The training pipeline with a key for its output and its volumes."""
    pipeline = deepcopy(TRAINING)
    arguments = pipeline["Steps"][0]["Arguments"]
    arguments["OutputDataConfig"]["KmsKeyId"] = "1234"
    arguments["ResourceConfig"] = {"VolumeKmsKeyId": "1234"}
    return pipeline


def test_what_aws_needs_of_jobs_and_their_role_is_not_told_to_be_idle(write: Write) -> None:
    file = write("p.json", encrypting())
    written = json.loads(policy("generate", file, "--format", "json").stdout)
    both = [*written["role"]["Statement"], *written["job-role"]["Statement"]]
    one = {"Version": "2012-10-17", "Statement": [{**each, "Sid": f"S{at}"} for at, each in enumerate(both)]}
    result = policy("diff", write("role.json", one), file)
    assert (result.exit_code, result.stdout) == (0, "0 missing, 0 unused\n")
    actions = {action for each in both for action in each["Action"]}
    assert {"sagemaker:StopTrainingJob", "sagemaker:AddTags", "kms:CreateGrant"} <= actions


def test_names_that_sagemaker_makes_up_are_written_with_their_beginning(write: Write) -> None:
    written = json.loads(policy("generate", write("p.json", TRAINING), "--for", "role").stdout)
    here = "arn:aws:sagemaker:us-east-1:111122223333"
    named = {each["Resource"] for each in written["Statement"] if isinstance(each["Resource"], str)}
    assert {
        f"{here}:training-job/pipelines-*",
        f"{here}:model-package/churn/*",
        f"{here}:model-package-group/churn",
    } <= named


def test_what_a_run_can_do_without_is_told_and_fails_no_diff(write: Write) -> None:
    result = policy("diff", write("role.json", allowing("lambda:InvokeFunction")), write("p.json", PIPELINE))
    assert result.exit_code == 0
    assert result.stdout.startswith(f"- lambda:GetFunction on {FUNCTION} (optional: ")
    assert "1 missing (1 optional), 0 unused" in result.stdout


def test_diff_takes_a_role_of_the_server(server: Server, write: Write) -> None:
    role = server.role([allowing("lambda:GetFunction")])
    result = policy("diff", role, write("p.json", PIPELINE), "--data", str(server.data))
    assert (result.exit_code, "- lambda:InvokeFunction" in result.stdout) == (1, True)
    nobody = policy("diff", "nobody", write("p.json", PIPELINE), "--data", str(server.data))
    assert (nobody.exit_code, "NoSuchEntity" in nobody.stderr) == (2, True)


def test_versions_are_told_with_dates_as_the_page_on_the_managed_policy_has_them() -> None:
    result = policy("versions", "AmazonSageMakerPipelinesIntegrations", "--format", "json")
    found = json.loads(result.stdout)
    page = (Path(__file__).parents[3] / "docs" / "why" / "managed-policy.md").read_text()
    assert len(found["versions"]) == 3
    for version in found["versions"]:
        assert f"| {version['id']} | {version['created']} |" in page
        assert (version["removed"], bool(version["added"])) == ([], True)


def test_versions_in_text_mark_what_was_added() -> None:
    lines = policy("versions", PIPELINES_INTEGRATIONS).stdout.splitlines()
    assert lines[:3] == [
        PIPELINES_INTEGRATIONS,
        "v1  2021-07-30",
        "  + lambda:CreateFunction, lambda:DeleteFunction, lambda:InvokeFunction, lambda:UpdateFunctionCode",
    ]
    assert "      where iam:PassedToService StringEquals ec2.amazonaws.com" in lines
    assert not any(line.startswith("  -") for line in lines)


@pytest.mark.parametrize("name", sorted(each.name for each in policies().values()))
def test_every_managed_policy_has_its_versions(name: str) -> None:
    assert policy("versions", name).exit_code == 0


@pytest.mark.parametrize(
    "document, code, lines",
    [
        (allowing("sqs:*"), 0, []),
        (
            allowing("sqs:Send", Sid="S"),
            1,
            [
                "1:41: statement 1 (`S`) warning PR312: there is no action `sqs:Send`; "
                "did you mean `sqs:SendMessage`?"
            ],
        ),
        (
            allowing("sqs:a:b"),
            2,
            ["1:41: statement 1 error PR300: Actions/Condition can contain only one colon."],
        ),
        ({"PolicyVersion": {"Document": allowing("sqs:*")}}, 0, []),
    ],
)
def test_lint_tells_by_its_exit_code_how_bad_it_is(
    write: Write, document: Any, code: int, lines: list[str]
) -> None:
    file = write("x.json", document)
    result = policy("lint", file)
    assert (result.exit_code, result.stdout.splitlines()) == (code, [f"{file}:{line}" for line in lines])
    levels = [each["level"] for each in json.loads(policy("lint", file, "--format", "json").stdout)]
    assert levels == [] if code == 0 else levels == ["warning" if code == 1 else "error"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("lint none.json", "there is no file `none.json`"),
        ("lint {binary}", "cannot be read"),
        ("versions Nonsense", "there is no managed policy `Nonsense` here; there are AWSGlueServiceRole"),
        ("diff role {file}", "is not a data folder yet"),
        ("diff {file} {file}", "is not a usable policy"),
    ],
)
def test_what_cannot_be_used_is_2_and_one_line(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    files = {"binary": str(tmp_path / "binary.json"), "file": write("p.json", PIPELINE)}
    result = policy(*arguments.format(**files).split())
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert message in result.stderr


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_key_that_is_there_twice_is_seen_in_files_of_both_shapes(
    write: Write, tmp_path: Path, wrapped: bool
) -> None:
    text = json.dumps(allowing("sqs:*")).replace('"Effect"', '"Effect": "Deny", "Effect"')
    file = tmp_path / "twice.json"
    file.write_text(f'{{"PolicyVersion": {{"Document": {text}}}}}' if wrapped else text)
    linted = policy("lint", str(file))
    assert (linted.exit_code, "the key `Effect` occurs twice" in linted.stdout) == (2, True)
    compared = policy("diff", str(file), write("p.json", PIPELINE))
    assert (compared.exit_code, "is not a usable policy" in compared.stderr) == (2, True)


def test_lint_judges_a_managed_policy_by_its_own_rules(write: Write) -> None:
    file = write("old.json", {**allowing("sqs:*"), "Version": "2008-10-17"})
    assert policy("lint", file).exit_code == 0
    managed = policy("lint", file, "--kind", "managed")
    assert (managed.exit_code, "version 2012-10-17 or greater" in managed.stdout) == (2, True)
