"""The log of a job's program, where it cannot be kept."""

import asyncio
from pathlib import Path

from passrole.faults import Fault
from passrole.worker.jobs.log_stream import LogStream
from passrole.worker.jobs.programs import Instance
from passrole.worker.jobs.s3 import Objects


def test_a_role_that_is_gone_does_not_end_the_job(tmp_path: Path) -> None:
    instance = Instance("algo-1", 0, tmp_path)
    instance.run.mkdir()
    (instance.run / "stdout").write_text("line\n")
    asked = []

    async def session() -> Objects:
        asked.append(1)
        raise Fault("AccessDenied", "no such role")

    async def bring_twice() -> None:
        stream = LogStream("group", "a/algo-1-1", instance.run, session, lambda: 1.0)
        await stream.bring()
        await stream.bring(is_last=True)

    asyncio.run(bring_twice())
    assert asked == [1]
