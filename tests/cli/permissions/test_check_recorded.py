"""`passrole check` of every definition that the SDKs wrote: each step is known, and so are its needs."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.policies import allowing

from passrole.cli import main

DEFINITIONS = Path(__file__).parents[2] / "definition"
WRITTEN = sorted(
    path for folder in ("recorded", "recorded_jobs") for path in (DEFINITIONS / folder).iterdir()
)
REFUSED = ("fail", "v3-fail")  # a step that depends on a Fail step, as a test of the SDK wants it refused
ASKS_NOBODY = ("Condition", "Fail", "ForEach")  # what is in them does


def checked(definition: Path, folder: Path, action: str) -> tuple[int, Any]:
    """The exit code and the answer for a role that is allowed this action alone."""
    policy = folder / "policy.json"
    policy.write_text(json.dumps(allowing(action)))
    given = ["check", str(definition), f"--policy={policy}", "--format", "json"]
    done = CliRunner().invoke(main, given, prog_name="passrole")
    return done.exit_code, json.loads(done.stdout)


def asking(steps: Any) -> set[str]:
    """The names of the steps that call something, those inside of others too."""
    found: set[str] = set()
    for step in steps:
        inner = step["Arguments"]
        if step["Type"] in ASKS_NOBODY:
            for branch in ("IfSteps", "ElseSteps", "ForEachBody"):
                found |= asking(inner.get(branch, ()))
        else:
            found.add(step["Name"])
    return found


@pytest.mark.parametrize("definition", WRITTEN, ids=lambda path: path.stem)
def test_what_the_sdk_wrote_has_needs_that_are_known(definition: Path, tmp_path: Path) -> None:
    code, answer = checked(definition, tmp_path, "*")
    is_taken = definition.stem not in REFUSED
    assert (code, answer["ok"], answer["unknown"]) == (0 if is_taken else 1, is_taken, [])
    assert any("can not depends on" in each for each in answer["warnings"]) is not is_taken
    named = {need["step"] for need in answer["needs"]}
    assert asking(json.loads(definition.read_text())["Steps"]) <= named
    code, answer = checked(definition, tmp_path, "sts:GetCallerIdentity")
    required = {need["step"] for need in answer["needs"] if need["required"] and not need["allowed"]}
    assert required == named and code == (1 if named or not is_taken else 0)
