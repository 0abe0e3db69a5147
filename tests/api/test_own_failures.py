"""What fails in passrole itself is told as that, and is blamed on nobody's role, archive or object."""

import asyncio
import errno
import json
import logging
import os
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import zipped

from passrole import app, disk
from passrole.api import Door
from passrole.config import Config
from passrole.faults import Fault, Internal, Outage, Unwritable
from passrole.policy.request import Principal
from passrole.services.lambda_ import archives
from passrole.worker import supervisor
from passrole.worker.event_matcher import EventMatcher

FULL = sqlite3.OperationalError("database or disk is full")
FULL.sqlite_errorcode = sqlite3.SQLITE_FULL
NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@dataclass
class Inside:
    """A door without a gateway, asked as the administrator."""

    door: Door
    access: app.Access
    administrator: Principal

    async def ask(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return await self.door.from_inside(service, operation, parameters, self.administrator, "us-east-1")


def inside(folder: Path, scenario: Callable[[Inside], Awaitable[None]]) -> None:
    async def run() -> None:
        config = Config(data=folder)
        async with app.opened(config) as (gateway, *_):
            access = app.access(config)
            assert access is not None
            known = await gateway._directory.credentials(access.access_key_id, None)
            await scenario(Inside(gateway._door, access, known.principal))

    asyncio.run(run())


def function(access: app.Access, code: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "FunctionName": "f",
        "Runtime": "python3.11",
        "Role": access.lambda_role_arn,
        "Handler": "main.handler",
        "Code": code,
    }


@pytest.fixture(autouse=True)
def nothing_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_reported_at", {})


def test_a_call_that_failed_inside_another_is_no_refusal(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """CreateFunction tries the role through AssumeRole, and reads an archive through GetObject."""

    async def scenario(here: Inside) -> None:
        through = here.door._through

        async def full(call: Any, verdict: Any) -> dict[str, Any]:
            if call.operation in ("AssumeRole", "GetObject"):
                raise FULL
            return await through(call, verdict)

        monkeypatch.setattr(here.door, "_through", full)
        for code in ({"ZipFile": zipped({"main.py": "x"})}, {"S3Bucket": "bucket", "S3Key": "key"}):
            with pytest.raises(Internal):
                await here.ask("lambda", "CreateFunction", function(here.access, code))

    inside(tmp_path, scenario)
    told = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.exc_info for record in told] == [None], "one line, once"
    assert "free some space" in told[0].getMessage()


@pytest.mark.parametrize("failing", ["CreateFunction", "AssumeRole"])
@pytest.mark.parametrize("error, raised", [(disk.StoreUnreachable("it is away"), Outage), (FULL, Internal)])
def test_that_the_database_is_away_is_told_apart_also_inside_another_call(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, failing: str, error: Exception, raised: type[Internal]
) -> None:
    async def scenario(here: Inside) -> None:
        through = here.door._through

        async def away(call: Any, verdict: Any) -> dict[str, Any]:
            if call.operation == failing:
                raise error
            return await through(call, verdict)

        monkeypatch.setattr(here.door, "_through", away)
        with pytest.raises(Internal) as caught:
            asked = function(here.access, {"ZipFile": zipped({"main.py": "x"})})
            await here.ask("lambda", "CreateFunction", asked)
        assert type(caught.value) is raised

    inside(tmp_path, scenario)


def test_that_no_line_can_be_written_is_told_apart(tmp_path: Path) -> None:
    """Before a call begins, and after it was done."""

    async def scenario(here: Inside) -> None:
        here.door._audit._file.close()  # type: ignore[union-attr]
        with pytest.raises(Unwritable):
            await here.ask("sts", "GetCallerIdentity", {})

    inside(tmp_path, scenario)


def test_a_refusal_inside_a_call_stays_one(tmp_path: Path) -> None:
    """SageMaker's role does not trust Lambda."""

    async def scenario(here: Inside) -> None:
        asked = {
            **function(here.access, {"ZipFile": zipped({"main.py": "x"})}),
            "Role": here.access.role_arn,
        }
        with pytest.raises(Fault) as caught:
            await here.ask("lambda", "CreateFunction", asked)
        assert caught.value.code == "InvalidParameterValueException"

    inside(tmp_path, scenario)


@pytest.mark.parametrize("where", ["mkdir", "copy"])
def test_an_archive_is_not_bad_because_the_disk_is_full(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str
) -> None:
    def full(*_: Any, **__: Any) -> Any:
        raise NO_SPACE

    target = {"mkdir": (Path, "chmod"), "copy": (archives, "_copy")}[where]
    monkeypatch.setattr(*target, full)
    with pytest.raises(OSError, match="No space left"):
        archives.unpack(zipped({"main.py": "x"}), tmp_path / "code")
    assert list(tmp_path.iterdir()) == []


def test_an_archive_with_a_name_that_is_no_file_s_stays_bad(tmp_path: Path) -> None:
    for files in ({"a" * 300: "x"}, {"a": "x", "a/b": "y"}):
        with pytest.raises(Fault) as caught:
            archives.unpack(zipped(files), tmp_path / "code")
        assert caught.value.code == "InvalidParameterValueException"


@pytest.mark.parametrize(
    "error, told",
    [
        (FULL, "is full"),
        (NO_SPACE, "is full"),
        (OSError(errno.EDQUOT, ""), "quota"),
        (OSError(errno.EROFS, ""), "read-only"),
        (OSError(errno.EMFILE, ""), "ulimit -n"),
        (disk.FolderRemoved(Path("/data")), "`/data` was removed"),
    ],
)
def test_what_the_disk_refuses_is_told_once_with_what_to_do(
    caplog: pytest.LogCaptureFixture, error: Exception, told: str
) -> None:
    for _ in range(3):
        disk.report(logging.getLogger("passrole"), error, "sqs:SendMessage (1)")
    assert [told in record.getMessage() and record.exc_info is None for record in caplog.records] == [True]


def test_a_bug_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    disk.report(logging.getLogger("passrole"), ValueError("x"), "sqs:SendMessage (1)")
    assert caplog.records[0].exc_info is not None


def test_an_event_is_not_lost_and_in_no_dead_letter_queue_while_the_disk_is_full(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its rule allows no second attempt: what failed in passrole itself was none."""
    monkeypatch.setattr(supervisor, "RESTART_SECONDS", 0.05)
    failures = {"SendMessage": 2, "match": 2}
    deliver = EventMatcher._deliver

    def full(matcher: EventMatcher, tx: Any, **given: Any) -> None:
        failures["match"] -= 1
        if failures["match"] >= 0:
            raise FULL
        deliver(matcher, tx, **given)

    monkeypatch.setattr(EventMatcher, "_deliver", full)

    async def scenario(here: Inside) -> None:
        through = here.door._through

        async def fails(call: Any, verdict: Any) -> dict[str, Any]:
            if call.operation in failures:
                failures[call.operation] -= 1
                if failures[call.operation] >= 0:
                    raise FULL
            return await through(call, verdict)

        url = (await here.ask("sqs", "CreateQueue", {"QueueName": "q"}))["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:{here.access.account}:q"
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": allow})
        await here.ask("sqs", "SetQueueAttributes", {"QueueUrl": url, "Attributes": {"Policy": policy}})
        await here.ask("events", "PutRule", {"Name": "r", "EventPattern": '{"source": ["team"]}'})
        target = {"Id": "1", "Arn": arn, "RetryPolicy": {"MaximumRetryAttempts": 0}}
        await here.ask("events", "PutTargets", {"Rule": "r", "Targets": [target]})
        monkeypatch.setattr(here.door, "_through", fails)
        event = {"Source": "team", "DetailType": "T", "Detail": "{}"}
        await here.ask("events", "PutEvents", {"Entries": [event]})
        found = await here.ask("sqs", "ReceiveMessage", {"QueueUrl": url, "WaitTimeSeconds": 20})
        assert len(found["Messages"]) == 1 and max(failures.values()) < 0

    inside(tmp_path, scenario)
