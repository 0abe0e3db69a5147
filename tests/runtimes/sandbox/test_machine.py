"""What every program sees of the machine, and what the settings say of it."""

import sys
from pathlib import Path

import pytest

from passrole.config import Config, ConfigError, Paths
from passrole.runtimes.sandbox import SandboxMissing, ladder, machine
from passrole.runtimes.sandbox.world import TMP

WORK = Path("/var/task")


def test_the_data_folder_is_hidden_and_what_is_shared_is_writable(tmp_path: Path) -> None:
    config = Config(tmp_path / "data", shared_paths=Paths(f"{tmp_path}:{tmp_path}"))
    world = machine.world(config, WORK)
    assert (world.work, world.hidden) == (WORK, (tmp_path / "data",))
    assert world.writable == {tmp_path: tmp_path}


@pytest.mark.parametrize(
    ("path", "says"), [("none", "does not exist: make it first"), ("data/s3", "is in the data folder")]
)
def test_what_cannot_be_shared_is_refused(tmp_path: Path, path: str, says: str) -> None:
    (tmp_path / "data" / "s3").mkdir(parents=True)
    config = Config(tmp_path / "data", shared_paths=Paths(str(tmp_path / path)))
    with pytest.raises(ConfigError, match=says):
        machine.world(config, WORK)


def test_a_link_into_the_data_folder_shares_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    config = Config(tmp_path / "data", shared_paths=Paths(str(tmp_path / "link")))
    with pytest.raises(ConfigError, match="is in the data folder"):
        machine.world(config, WORK)


def test_what_would_be_hidden_is_shown_once(tmp_path: Path) -> None:
    inner, hidden = tmp_path / "venv" / "lib", tmp_path / "data"
    inner.mkdir(parents=True)
    (hidden / "venv").mkdir(parents=True)
    paths = [inner, tmp_path / "venv", hidden / "venv", hidden, TMP, Path("/usr"), tmp_path / "none"]
    assert set(machine.visible(paths, hidden)) == {tmp_path / "venv", hidden / "venv"}


def test_our_own_packages_are_seen(tmp_path: Path) -> None:
    shown = machine.world(Config(tmp_path), WORK).readable
    for path in [Path(machine.__file__), Path(sys.prefix)]:
        assert not path.is_relative_to(TMP) or any(map(path.is_relative_to, shown))


def test_where_none_works_programs_run_unconfined_and_the_log_tells_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ladder, "why_not", lambda _: "Operation not permitted")
    ladder.at_best.cache_clear()
    try:
        assert [machine.sandbox(Config()).confines for _ in range(2)] == [False, False]
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "unconfined" in caplog.text and "Operation not permitted" in caplog.text
        with pytest.raises(ConfigError, match=r"setting `sandbox` is `bubblewrap`.*not permitted"):
            machine.sandbox(Config(sandbox="bubblewrap"))
        with pytest.raises(SandboxMissing):
            ladder.at_best("unshare")
    finally:
        ladder.at_best.cache_clear()
