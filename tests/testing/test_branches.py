"""`--passrole-branches`: which branches of conditions no test has taken."""

from pathlib import Path

import pytest
from tests.testing.pipelines import lambda_
from tests.testing.test_howto import blocks
from tests.testing.test_plugin import run_pytest
from tests.testing.test_stubs import judged, metric, train

from passrole.testing import Server
from passrole.testing.branches import Branch

NEVER_FALSE = "pipeline: IsUsable was never False (which runs TooBad)"
TESTS = """
import pytest

@pytest.mark.parametrize("auc", [{scores}])
def test_mine(passrole, auc):
    metrics = [{{"MetricName": "auc", "Value": auc}}]
    properties = {{"FinalMetricDataList": metrics, "ModelArtifacts": {{"S3ModelArtifacts": "s3://m"}}}}
    passrole.stub("Train", properties=properties)
    passrole.stub("Register")
    execution = passrole.start("pipeline.json", ReviewQueue=passrole.queue())
    if 0.7 <= auc < 0.9:
        execution.step("Review").approve(comment="")
    execution.wait()
"""


def session(folder: Path, scores: str, *options: str) -> str:
    (folder / "pipeline.json").write_text(blocks("json")[0])
    ran = run_pytest(folder, *options, test_mine=TESTS.format(scores=scores))
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


def test_the_summary_lists_what_no_test_has_taken(tmp_path: Path) -> None:
    told = session(tmp_path, "0.95, 0.8", "--passrole-branches")
    assert "3 of 4 branches taken" in told and NEVER_FALSE in told
    assert "IsGood was never" not in told


def test_the_last_test_counts_and_all_may_be_taken(tmp_path: Path) -> None:
    told = session(tmp_path, "0.95, 0.8, 0.1", "--passrole-branches")
    assert "4 of 4 branches taken" in told and "was never" not in told


def test_nothing_is_told_unless_it_is_asked_for(tmp_path: Path) -> None:
    assert "branches" not in session(tmp_path, "0.95")


def test_processes_of_xdist_are_summed_up(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    told = session(tmp_path, "0.95, 0.8", "--passrole-branches", "-p", "xdist", "-n", "2")
    assert "3 of 4 branches taken" in told and NEVER_FALSE in told


def test_a_stubbed_condition_and_a_pipeline_that_never_ran_take_nothing() -> None:
    with Server() as passrole:
        counted = passrole.count_branches()
        then = lambda_("Then", "arn:aws:lambda:us-east-1:111122223333:function:f")
        passrole.stub("Decide", outcome=True)
        passrole.stub("Train", properties=metric(0.9))
        passrole.stub("Then")
        passrole.run(judged(train(), then=then)).succeeded()
        passrole.reset()
        assert counted.taken == []
        passrole.stub("Train", properties=metric(0.1))
        passrole.run(judged(train(), then=then)).failed()
        passrole.count_branches()
        assert counted.taken == [Branch("pipeline", "Decide", False, ("TooBad",))]
        assert counted.untaken == [Branch("pipeline", "Decide", True, ("Then",))]
