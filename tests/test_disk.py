"""What a failure is told as: in one line where everything is known, else with its traceback."""

import errno
import logging

import pytest

from passrole import disk
from passrole.faults import Internal, Outage

log = logging.getLogger("passrole.test_disk")


@pytest.mark.parametrize(
    "error, told",
    [
        (OSError(errno.ENOSPC, "x"), "the disk with the data folder is full: free some space on it; until"),
        (disk.StoreUnreachable("no answer"), "PostgreSQL cannot be used: no answer; until then calls are"),
        (Internal(), "it failed, because a call of its own did, as told above"),
        (Outage(), "it failed, because a call of its own did, as told above"),
    ],
)
def test_what_is_known_is_one_line(
    error: Exception, told: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_reported_at", {})
    disk.report(log, error, "it")
    (record,) = caplog.records
    assert record.getMessage().startswith(told) and record.exc_info is None


def test_what_nobody_foresaw_has_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    disk.report(log, ValueError("x"), "it")
    (record,) = caplog.records
    assert record.getMessage() == "it failed in passrole itself" and record.exc_info


@pytest.mark.parametrize(
    "error, lines",
    [(disk.StoreUnreachable("no answer"), 1), (Outage(), 2), (Internal(), 4)],
    ids=["database", "calls", "calls that failed for themselves"],
)
def test_what_lasts_is_told_once_a_minute(
    error: Exception, lines: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of calls that failed for it each kind is."""
    monkeypatch.setattr(disk, "_reported_at", {})
    for what in ("one", "other", "one", "other"):
        disk.report(log, error, what)
    assert len(caplog.records) == lines
