"""Sessions that services assume: what STS is asked, and how a session is shared."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from passrole.faults import Fault
from passrole.policy.request import Principal
from passrole.services.service_sessions import (
    SESSION_SECONDS,
    SessionCache,
    SessionRequest,
    assume,
    request_for,
)

ROLE = "arn:aws:iam::111122223333:role/path/work"
RULE = "arn:aws:events:eu-west-1:111122223333:rule/nightly"
REQUEST = request_for("events.amazonaws.com", ROLE, "events", RULE)
ANSWER = {
    "AssumedRoleUser": {
        "Arn": "arn:aws:sts::111122223333:assumed-role/work/events",
        "AssumedRoleId": "AROA:events",
    },
    "Credentials": {"AccessKeyId": "A", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": 5.0},
}


class Sts:
    """Answers AssumeRole after a moment, or fails as it is told; counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Mapping[str, Any], Principal, str]] = []
        self.fault: Fault | None = None

    async def __call__(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        principal: Principal,
        region: str,
        request_id: str | None = None,
    ) -> dict[str, Any]:
        """See CallOperation."""
        assert (service, operation, request_id) == ("sts", "AssumeRole", None)
        self.asked.append((parameters, principal, region))
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        return ANSWER


def test_a_service_asks_for_the_resource_that_it_acts_for() -> None:
    sts = Sts()
    session = asyncio.run(assume(sts, REQUEST))
    ((parameters, caller, region),) = sts.asked
    assert parameters == {"RoleArn": ROLE, "RoleSessionName": "events"}
    assert (caller.kind, caller.arn) == ("service", "events.amazonaws.com")
    assert (caller.source, caller.account, region) == (RULE, "111122223333", "eu-west-1")
    assert session.credentials.session_token == "t"
    who = session.principal
    assert (who.kind, who.name, who.role_arn, who.session_name) == ("role", "work", ROLE, "events")
    assert (who.id, who.account) == ("AROA:events", "111122223333")


def test_simultaneous_requests_share_one_session_until_it_is_old() -> None:
    sts, now = Sts(), [0.0]

    async def scenario() -> None:
        cache = SessionCache(sts, lambda: now[0])
        await asyncio.gather(*(cache.principal(REQUEST) for _ in range(5)))
        await cache.principal(REQUEST)
        assert len(sts.asked) == 1
        now[0] = SESSION_SECONDS
        await cache.principal(REQUEST)
        assert len(sts.asked) == 2

    asyncio.run(scenario())


def test_sessions_for_other_resources_or_names_are_others() -> None:
    sts = Sts()

    async def scenario() -> None:
        cache = SessionCache(sts, lambda: 0.0)
        for source, name in ((RULE, "events"), (RULE, "other"), (RULE + "2", "events")):
            await cache.principal(request_for("events.amazonaws.com", ROLE, name, source))
        assert len(sts.asked) == 3

    asyncio.run(scenario())


def test_a_failure_is_everyones_who_waited_and_is_asked_anew() -> None:
    sts = Sts()
    sts.fault = Fault("AccessDenied", "no")

    async def scenario() -> None:
        cache = SessionCache(sts, lambda: 0.0)
        answers = await asyncio.gather(*(cache.principal(REQUEST) for _ in range(3)), return_exceptions=True)
        assert answers == [sts.fault] * 3
        assert len(sts.asked) == 1
        sts.fault = None
        assert (await cache.principal(REQUEST)).name == "work"

    asyncio.run(scenario())


def test_who_stops_waiting_does_not_take_the_session_from_the_others() -> None:
    sts = Sts()

    async def scenario() -> None:
        cache = SessionCache(sts, lambda: 0.0)
        leaving = asyncio.create_task(cache.principal(REQUEST))
        staying = asyncio.create_task(cache.principal(REQUEST))
        await asyncio.sleep(0)
        leaving.cancel()
        assert (await staying).name == "work"
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert len(sts.asked) == 1

    asyncio.run(scenario())


def test_a_role_is_assumed_by_a_session_of_another() -> None:
    sts = Sts()
    first = asyncio.run(assume(sts, REQUEST)).principal
    asyncio.run(assume(sts, SessionRequest(ROLE, "i-1", first, "us-east-1")))
    _, caller, region = sts.asked[-1]
    assert (caller, region) == (first, "us-east-1")
