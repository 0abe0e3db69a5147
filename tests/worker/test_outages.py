"""Calls that outlast a database that is away."""

import asyncio
from typing import cast

from tests.worker.conftest import FakeDoor

from passrole.faults import Outage
from passrole.policy.request import Principal
from passrole.worker.outages import OutlastingCalls
from passrole.worker.supervisor import PASSING_SECONDS_MAX


def test_a_call_is_made_soon_after_a_long_outage() -> None:
    door, slept = FakeDoor(), list[float]()
    door.prepare("AssumeRole", *[Outage()] * 6, {})

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def scenario() -> None:
        principal = cast(Principal, None)
        assert await OutlastingCalls(door, sleep)("sts", "AssumeRole", {}, principal, "eu-west-1") == {}

    asyncio.run(scenario())
    assert slept == [1.0, 2.0, 4.0, *[PASSING_SECONDS_MAX] * 3]
