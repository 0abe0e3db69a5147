"""`passrole policy lint` in CI: several files, every policy of a template, lines, codes and formats."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.policies import allowing

from passrole.cli import main
from passrole.cli.permissions.rules import rules
from passrole.policy.lint import CODES

HERE = Path(__file__).parent
TEMPLATE = """
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: "*"
            Action: sts:AssumeRole
      Policies:
        - PolicyName: steps
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: sqs:SendMessage
                Resource: !Sub "arn:aws:sqs:${AWS::Region}:${AWS::AccountId}:q"
              - Effect: Allow
                Action: sqs:Send
                Resource: !ImportValue Queue
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with two policies and a template."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.json").write_text(json.dumps(allowing("sqs:*")))
    (tmp_path / "bad.json").write_text(json.dumps(allowing("sqs:Send"), indent=2))
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    return tmp_path


def lint(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["policy", "lint", *arguments], prog_name="passrole", input=stdin)


def test_every_code_is_a_rule_and_every_rule_of_policies_a_code() -> None:
    assert set(CODES) == {code for code in rules() if code.startswith("PR3")}


def test_every_policy_of_a_template_is_looked_at_at_its_place() -> None:
    result = lint("template.yaml", "--quiet")
    heads = [line.split()[:2] for line in result.stdout.splitlines()]
    assert heads == [["template.yaml:20:17:", "PR312"], ["template.yaml:9:13:", "PR303"]]
    assert result.exit_code == 1


def test_files_folders_and_standard_input_are_taken(folder: Path) -> None:
    assert lint("good.json").exit_code == 0
    assert lint(".", "-q").stdout.startswith("bad.json:4:5: PR312 there is no action `sqs:Send`")
    assert lint("-", stdin=TEMPLATE).exit_code == 1
    (folder / "odd.txt").write_text("nothing")
    result = lint("odd.txt", "bad.json", "-q")
    assert (result.exit_code, "bad.json" in result.stdout) == (2, True)
    assert "`odd.txt` is no policy" in result.stderr


def test_rules_are_chosen_and_suppressed(folder: Path) -> None:
    assert lint("bad.json", "--ignore", "PR312").exit_code == 0
    assert lint("bad.json", "--exit-zero").exit_code == 0
    lint("bad.json", "--format", "json", "--output", "base.json")
    assert lint("bad.json", "--baseline", "base.json").exit_code == 0
    reasoned = TEMPLATE.replace(
        "- Effect: Allow\n            Principal",
        "- Effect: Allow  # passrole: ignore[PR303] a test\n            Principal",
    )
    (folder / "template.yaml").write_text(reasoned)
    assert [line.split()[1] for line in lint("template.yaml", "-q").stdout.splitlines()] == ["PR312"]
    (folder / "template.yaml").write_text(f"# passrole: ignore-file[PR3] all of it is a test\n{TEMPLATE}")
    assert lint("template.yaml").exit_code == 0
    (folder / "template.yaml").write_text(f"# passrole: ignore-file[PR3]\n{TEMPLATE}")
    assert [line.split()[1] for line in lint("template.yaml", "-q").stdout.splitlines()] == ["PR002"]


def test_the_formats_of_ci_have_the_findings() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    sarif = json.loads(lint("bad.json", "template.yaml", "--format", "sarif").stdout)
    schema = json.loads((HERE / "sarif-2.1.0-rtm.5.json").read_text())
    jsonschema.Draft4Validator(schema).validate(sarif)
    assert [each["ruleId"] for each in sarif["runs"][0]["results"]] == ["PR312", "PR312", "PR303"]
    (line,) = lint("bad.json", "--format", "github").stdout.splitlines()
    assert line.startswith("::warning file=bad.json,line=4,col=5,title=PR312 unknown-action::")
    (found,) = json.loads(lint("bad.json", "--format", "json").stdout)
    assert (found["level"], found["statement"], found["code"], found["line"]) == ("warning", 0, "PR312", 4)


def test_broken_json_is_a_finding_at_its_place(folder: Path) -> None:
    (folder / "broken.json").write_text('{\n  "Version": }')
    result = lint("broken.json", "-q")
    assert (result.exit_code, result.stdout.split()[:2]) == (2, ["broken.json:2:14:", "PR300"])
