"""Two hundred tests in one session: none meets what another has left, and nothing is left behind."""

import shutil
from pathlib import Path

from tests.testing.test_howto import blocks
from tests.testing.test_plugin import run_pytest


def test_two_hundred_tests_pass_and_leave_nothing_behind(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).with_name("two_hundred.py"), tmp_path / "test_two_hundred.py")
    (tmp_path / "pipeline.json").write_text(blocks("json")[0])
    ran = run_pytest(tmp_path)
    assert ran.returncode == 0, ran.stdout
    assert "200 passed" in ran.stdout
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("passrole-test-")] == []
