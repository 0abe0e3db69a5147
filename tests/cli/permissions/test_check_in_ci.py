"""`passrole check` as a linter: several files, rules, suppressions, baselines, and the formats of CI."""

import json
import os
import re
import runpy
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from click.testing import CliRunner, Result
from tests.cli.conftest import TRAINING
from tests.policies import allowing

from passrole.cli import main
from passrole.cli.permissions.rules import rules

HERE = Path(__file__).parent
FILES = HERE / "role_files"
QUEUE = "https://sqs.us-east-1.amazonaws.com/111122223333/"

Folder = Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A repository, which is the current folder, with a pipeline and two policies."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "pipeline.json", pipeline())
    save(tmp_path / "all.json", allowing("*"))
    save(tmp_path / "none.json", allowing("s3:ListAllMyBuckets"))
    return tmp_path


def save(file: Path, value: Any, indent: int | None = 2) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value, indent=indent))
    return file


def pipeline(*names: str, **more: Any) -> dict[str, Any]:
    steps = [
        {"Name": name, "Type": "Callback", "SqsQueueUrl": QUEUE + name.lower(), "Arguments": {}, **more}
        for name in names or ("Ask",)
    ]
    return {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps}


def check(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["check", *arguments], prog_name="passrole", input=stdin)


def quiet(*arguments: str, stdin: str | None = None) -> list[str]:
    return check(*arguments, "--quiet", stdin=stdin).stdout.splitlines()


def test_several_files_are_checked_in_one_run_and_one_bad_one_decides(folder: Folder) -> None:
    save(folder / "good.json", pipeline("Ask-sagemaker"))
    role = ("--managed-version", "v3")
    assert check("good.json", *role).exit_code == 0
    result = check("good.json", "pipeline.json", *role)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "3 of 4 allowed in 2 files; 1 of them with errors"
    found = json.loads(check("good.json", "pipeline.json", *role, "--format", "json").stdout)
    assert (found["ok"], [(each["file"], each["ok"]) for each in found["files"]]) == (
        False,
        [("good.json", True), ("pipeline.json", False)],
    )


def test_a_file_that_cannot_be_read_does_not_hide_the_others(folder: Folder) -> None:
    (folder / "broken.json").write_text('{"Steps": [}')
    result = check("broken.json", "pipeline.json", "--policy", "none.json", "--format", "json")
    assert result.exit_code == 2
    assert result.stderr.startswith("passrole check: `broken.json`: ")
    found = json.loads(result.stdout)
    assert [each["file"] for each in found["files"]] == ["pipeline.json"]
    assert [each["code"] for each in found["findings"]] == ["PR001"]
    sarif = json.loads(
        check("broken.json", "pipeline.json", "--policy", "none.json", "--format=sarif").stdout
    )
    assert {each["ruleId"] for each in sarif["runs"][0]["results"]} == {"PR001", "PR101"}


def test_globs_folders_and_standard_input_name_files(folder: Folder) -> None:
    save(folder / "sub/deep/a.json", pipeline("A"))
    save(folder / "sub/b.json", pipeline("B"))
    save(folder / "sub/package.json", {"name": "x"})
    save(folder / "sub/.hidden/c.json", pipeline("C"))
    role = ("--policy", "none.json")
    assert [line.partition(":")[0] for line in quiet("sub", *role)] == ["sub/b.json", "sub/deep/a.json"]
    assert [line.partition(":")[0] for line in quiet("sub/*/a.*", "sub/b.json", *role)] == [
        "sub/deep/a.json",
        "sub/b.json",
    ]
    (line,) = quiet("-", *role, stdin=json.dumps(pipeline("A")))
    assert line.startswith("-:1:")
    for arguments, message in (
        (("nothing/*.json",), "no file matches `nothing/*.json`"),
        (("sub/.hidden/x",), "there is no file `sub/.hidden/x`"),
        (("-", "-"), "give `-` once"),
    ):
        result = check(*arguments, *role, stdin="{}")
        assert (result.exit_code, result.stderr.count("\n"), message in result.stderr) == (2, 1, True)


def test_parameters_are_for_the_files_that_have_them(folder: Folder) -> None:
    parameters = [{"Name": "Queue", "Type": "String"}]
    asking = {**pipeline(), "Parameters": parameters}
    asking["Steps"][0]["SqsQueueUrl"] = {
        "Std:Join": {"On": "", "Values": [QUEUE, {"Get": "Parameters.Queue"}]}
    }
    save(folder / "asking.json", asking)
    role = ("--policy", "none.json")
    lines = quiet("asking.json", "pipeline.json", *role, "-p", "Queue=approvals")
    assert ("arn:aws:sqs:us-east-1:111122223333:approvals " in lines[0], len(lines)) == (True, 2)
    wrong = check("asking.json", "pipeline.json", *role, "-p", "Other=1")
    assert (wrong.exit_code, "no file has a parameter `Other`" in wrong.stderr) == (2, True)


def test_each_finding_has_its_line_its_column_and_the_path_inside(folder: Folder) -> None:
    lines = (folder / "pipeline.json").read_text().splitlines()
    number = next(at for at, line in enumerate(lines, 1) if "SqsQueueUrl" in line)
    column = lines[number - 1].index('"https') + 1
    found = json.loads(check("pipeline.json", "--policy", "none.json", "--format", "json").stdout)["findings"]
    assert [(each["code"], each["line"], each["column"], each["path"]) for each in found] == [
        ("PR101", number, column, "Steps[0].SqsQueueUrl")
    ]


def test_a_definition_on_one_line_is_told_by_column_and_path(folder: Folder) -> None:
    branches = {"Conditions": [], "IfSteps": pipeline("Deep")["Steps"], "ElseSteps": []}
    value = pipeline("First")
    value["Steps"].append({"Name": "If", "Type": "Condition", "Arguments": branches})
    text = json.dumps(value)
    (folder / "sdk.json").write_text(text)
    found = json.loads(check("sdk.json", "--policy", "none.json", "--format", "json").stdout)["findings"]
    assert [(each["line"], each["column"], each["path"]) for each in found] == [
        (1, text.index(f'"{QUEUE}first') + 1, "Steps[0].SqsQueueUrl"),
        (1, text.index(f'"{QUEUE}deep') + 1, "Steps[1].Arguments.IfSteps[0].SqsQueueUrl"),
    ]
    described = {"PipelineArn": "x", "PipelineName": "p", "RoleArn": "arn:aws:iam::111122223333:role/r"}
    save(folder / "described.json", {**described, "PipelineDefinition": text})
    found = json.loads(check("described.json", "--policy", "none.json", "--format", "json").stdout)[
        "findings"
    ]
    assert [(each["line"], each["path"]) for each in found] == [
        (5, "PipelineDefinition.Steps[0].SqsQueueUrl"),
        (5, "PipelineDefinition.Steps[1].Arguments.IfSteps[0].SqsQueueUrl"),
    ]


def test_a_data_location_and_a_role_are_found_in_the_arguments(folder: Folder) -> None:
    save(folder / "training.json", TRAINING)
    save(folder / "job.json", allowing("logs:*"))
    options = ("--policy", "none.json", "--job-role", "job.json", "--format", "json")
    found = json.loads(check("training.json", *options).stdout)["findings"]
    paths = {(each["message"].split(" ")[-1] and each["path"]) for each in found}
    assert "Steps[0].Arguments.RoleArn" in paths
    assert any(path.endswith("S3OutputPath") for path in paths)


@pytest.mark.parametrize(
    "options, codes",
    [
        ((), ["PR101", "PR201"]),
        (("--ignore", "PR201"), ["PR101"]),
        (("--ignore", "PR1,PR2"), []),
        (("--select", "PR2"), ["PR201"]),
        (("--select", "PR2", "--ignore", "PR201"), []),
        (("--severity", "error"), ["PR101"]),
    ],
)
def test_rules_are_chosen_by_code_and_severity(
    folder: Folder, options: tuple[str, ...], codes: list[str]
) -> None:
    value = pipeline()
    value["Steps"].append({"Name": "Other", "Type": "Athena"})
    save(folder / "p.json", value)
    result = check("p.json", "--policy", "none.json", "--format", "json", *options)
    found = json.loads(result.stdout)
    assert [each["code"] for each in found["findings"]] == codes
    assert result.exit_code == (1 if "PR101" in codes else 0)
    assert len(found["suppressed"]) == 2 - len(codes)


def test_an_unknown_code_is_misuse(folder: Folder) -> None:
    for options in (("--ignore", "PR999"), ("--select", "E501")):
        result = check("pipeline.json", "--policy", "all.json", *options)
        assert (result.exit_code, f"there is no rule `{options[1]}`" in result.stderr) == (2, True)


def test_exit_zero_reports_and_passes_and_misuse_stays_misuse(folder: Folder) -> None:
    result = check("pipeline.json", "--policy", "none.json", "--exit-zero")
    assert (result.exit_code, "missing  sqs:SendMessage" in result.stdout) == (0, True)
    assert check("nothing.json", "--policy", "none.json", "--exit-zero").exit_code == 2


@pytest.mark.parametrize("format_", ["json", "sarif"])
def test_a_baseline_lets_pass_what_was_known_wherever_its_lines_moved(folder: Folder, format_: str) -> None:
    role = ("--policy", "none.json")
    made = check("pipeline.json", *role, "--format", format_, "--output", "base", "--exit-zero")
    assert (made.exit_code, made.stdout) == (0, "")
    save(folder / "pipeline.json", pipeline(), indent=7)
    assert check("pipeline.json", *role, "--baseline", "base").exit_code == 0
    save(folder / "pipeline.json", pipeline("Ask", "New"))
    lines = quiet("pipeline.json", *role, "--baseline", "base")
    assert (len(lines), "New: sqs:SendMessage" in lines[0]) == (1, True)


@pytest.mark.parametrize("text", ["{}", "{", "3"])
def test_a_baseline_that_is_none_is_misuse(folder: Folder, text: str) -> None:
    (folder / "base").write_text(text)
    result = check("pipeline.json", "--policy", "none.json", "--baseline", "base")
    assert (result.exit_code, "`base` is no baseline" in result.stderr) == (2, True)


def test_a_steps_description_suppresses_what_is_about_it_with_a_reason(folder: Folder) -> None:
    value = pipeline("Ask", "Tell")
    value["Steps"][0]["Description"] = "asks ann. passrole: ignore[PR101] renamed in March"
    save(folder / "p.json", value)
    found = json.loads(check("p.json", "--policy", "none.json", "--format", "json").stdout)
    assert [each["subject"] for each in found["findings"]] == ["Tell"]
    assert [(each["subject"], each["reason"]) for each in found["suppressed"]] == [
        ("Ask", "renamed in March")
    ]
    text = check("p.json", "--policy", "none.json").stdout
    assert "  ignored  sqs:SendMessage on arn:aws:sqs:us-east-1:111122223333:ask" in text
    value["Steps"][0]["Description"] = "passrole: ignore[PR101]"
    save(folder / "p.json", value)
    assert [line.split()[1] for line in quiet("p.json", "--policy", "none.json")] == ["PR101", "PR002"]


def test_the_metadata_suppress_for_the_whole_definition(folder: Folder) -> None:
    value = {**pipeline("Ask", "Tell"), "Metadata": {"note": "passrole: ignore[PR1] not deployed yet"}}
    save(folder / "p.json", value)
    result = check("p.json", "--policy", "none.json")
    assert (result.exit_code, result.stdout.count("  ignored  ")) == (0, 2)


def test_the_projects_settings_are_found_upwards_and_options_come_first(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "pyproject.toml").write_text(
        """
        [tool.passrole]
        policy = ["none.json"]
        ignore = ["PR108"]
        [tool.passrole.levels]
        PR201 = "error"
        [tool.passrole.per-file-ignores]
        "sub/*.json" = { PR101 = "moves in March" }
        "pipeline.json#Tell" = ["PR101: soon gone"]
        """
    )
    save(folder / "pipeline.json", pipeline("Ask", "Tell"))
    save(folder / "sub/a.json", pipeline("A"))
    monkeypatch.chdir(folder / "sub")
    (line,) = quiet("../pipeline.json", "a.json")
    assert "Ask: sqs:SendMessage" in line
    found = json.loads(check("a.json", "--format", "json").stdout)
    assert [each["reason"] for each in found["suppressed"]] == ["moves in March"]
    assert check("../pipeline.json", "--policy", "../all.json").exit_code == 0
    save(folder / "other.json", {"Version": "2020-12-01", "Steps": [{"Name": "Other", "Type": "Athena"}]})
    assert check("../other.json").exit_code == 1


@pytest.mark.parametrize(
    "text, message",
    [
        ("polcy = []", "has an unknown key `polcy`; did you mean `policy`?"),
        ("quiet = 3", "`quiet` in [tool.passrole]"),
        ("[tool.passrole.levels]\nPR101 = 'loud'", "is `loud`; use error, warning or note"),
        ("[tool.passrole.per-file-ignores]\n'*' = 3", "takes a list of codes, or a table of codes"),
        ("[tool.passrole.per-file-ignores]\n'*' = ['PR9']", "there is no rule `PR9`"),
        ("policy = ['gone.json']", "gone.json' does not exist"),
        ("=", "cannot be read"),
    ],
)
def test_wrong_settings_are_one_line_that_names_them(folder: Folder, text: str, message: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.passrole]\n{text}\n")
    result = check("pipeline.json", "--managed-version", "v3")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert message in result.stderr
    assert CliRunner().invoke(main, ["check", "--help"]).exit_code == 0


def test_sarif_is_valid_and_has_what_code_scanning_shows(folder: Folder) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    value = {**TRAINING, "Steps": [*TRAINING["Steps"], *pipeline("Ask", "Ask ünd \x1b more")["Steps"]]}
    save(folder / "odd names/a b#c.json", value)
    result = check("odd names/a b#c.json", "pipeline.json", "--policy", "none.json", "--format", "sarif")
    found = json.loads(result.stdout)
    schema = json.loads((HERE / "sarif-2.1.0-rtm.5.json").read_text())
    jsonschema.Draft4Validator(schema).validate(found)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(schema).validate({**found, "version": "2"})
    (run,) = found["runs"]
    listed = run["tool"]["driver"]["rules"]
    assert all(
        rule["shortDescription"]["text"]
        and rule["help"]["markdown"]
        and rule["helpUri"].startswith("https://")
        for rule in listed
    )
    places = [each["locations"][0]["physicalLocation"] for each in run["results"]]
    assert {place["artifactLocation"]["uri"] for place in places} == {
        "odd%20names/a%20b%23c.json",
        "pipeline.json",
    }
    assert {place["artifactLocation"]["uriBaseId"] for place in places} == {"%SRCROOT%"}
    assert all(place["region"]["startLine"] > 1 and place["region"]["startColumn"] > 0 for place in places)
    assert all(listed[each["ruleIndex"]]["id"] == each["ruleId"] for each in run["results"])
    prints = [each["partialFingerprints"]["primaryLocationLineHash"] for each in run["results"]]
    assert len(set(prints)) == len(prints)


def test_annotations_are_workflow_commands_with_nothing_that_ends_them(folder: Folder) -> None:
    save(folder / "a,b:c.json", pipeline("100%\nx"))
    lines = check("a,b:c.json", "--policy", "none.json", "--format", "github").stdout.splitlines()
    assert len(lines) == 2  # what is missing, and that CreatePipeline refuses such a name
    assert all(line.startswith("::error file=a%2Cb%3Ac.json,line=") for line in lines)
    assert ",title=PR101 missing-permission::100%25?x: sqs:SendMessage on " in lines[0]


def test_junit_of_several_files_has_a_suite_for_each(folder: Folder) -> None:
    (folder / "broken.json").write_text("{")
    value = pipeline("Ask", Description="passrole: ignore[PR101] soon")
    save(folder / "soon.json", value)
    result = check("soon.json", "pipeline.json", "broken.json", "--policy", "none.json", "--format", "junit")
    suites = ElementTree.fromstring(result.stdout)
    assert [(each.get("name"), each.get("failures"), each.get("errors")) for each in suites] == [
        ("soon.json", "0", "0"),
        ("pipeline.json", "1", "0"),
        ("broken.json", None, "1"),
    ]
    assert suites.findall("testsuite/testcase/skipped")[0].get("message") == "missing, but line 6: soon"


def test_quiet_prints_nothing_where_nothing_is_found(folder: Folder) -> None:
    may_approve = ("--ignore", "PR210")
    policies = ("--policy", str(FILES / "template.yaml"), "--policy", "all.json")
    result = check("pipeline.json", *policies, *may_approve, "-q")
    assert (result.exit_code, result.output) == (0, "")


def test_output_is_written_to_the_file_without_colours(folder: Folder) -> None:
    result = check("pipeline.json", "--policy", "none.json", "--output", "report.txt")
    assert (result.exit_code, result.stdout) == (1, "")
    assert (folder / "report.txt").read_text().endswith("0 of 1 allowed\n")
    assert check("pipeline.json", "--policy", "none.json", "--output", "no/such").exit_code == 2


def test_fifty_files_are_one_report(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = save(folder / "bin/docker", "")
    engine.write_text(f"#!/bin/sh\necho asked >> {folder}/asked\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{engine.parent}:{os.environ['PATH']}")
    files = [save(folder / f"pipelines/p{number}.json", TRAINING) for number in range(50)]
    shutil.copy(FILES / "template.yaml", folder / "template.yaml")
    result = check(*map(str, files), "--policy", "template.yaml", "--format", "json")
    found = json.loads(result.stdout)
    assert [each["file"] for each in found["files"]] == list(map(str, files))
    assert result.stderr.count("\n") == 1  # the role is read, and said, once
    assert (folder / "asked").read_text() == "asked\n"  # and so is the engine of their images


def test_the_hooks_of_pre_commit_are_commands_that_there_are() -> None:
    hooks = yaml.safe_load((HERE.parents[2] / ".pre-commit-hooks.yaml").read_text())
    assert [each["id"] for each in hooks] == ["passrole-check", "passrole-policy-lint"]
    for hook in hooks:
        program, *arguments = hook["entry"].split()
        assert program == "passrole"
        assert CliRunner().invoke(main, [*arguments, "--help"]).exit_code == 0
        assert re.search(hook["files"], "infra/pipelines/policy.json")


def test_every_rule_has_its_page_and_each_page_is_what_the_table_says() -> None:
    docs = HERE.parents[2] / "docs"
    pages = runpy.run_path(str(docs / "generate_rules.py"))["pages"]()
    there = {each.name: each.read_text() for each in (docs / "rules").iterdir()}
    assert there == pages, "run `make docs`"
    assert {f"{code}.md" for code in rules()} == there.keys() - {"README.md"}
