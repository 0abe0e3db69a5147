"""What moves time, fails calls and asks tests is in a server for tests alone."""

import asyncio
import re
from pathlib import Path

import pytest

from passrole import app
from passrole.clock import system_clock
from passrole.config import Config
from passrole.testing import Server

SOURCES = Path(__file__).parents[2] / "src" / "passrole"


def test_only_the_testing_room_makes_a_trial() -> None:
    makers = {
        path.relative_to(SOURCES).as_posix()
        for path in SOURCES.rglob("*.py")
        if "Trial(" in (text := path.read_text()) and "from passrole.app import" in text
    }
    assert makers == {"testing/server.py"}
    (ordinary,) = re.findall(r"async with opened\((.*?)\)", (SOURCES / "app.py").read_text())
    assert ordinary == "config, tunnels=tunnels", "an ordinary server is given none"


def test_an_ordinary_server_has_the_systems_clock_and_asks_nobody(tmp_path: Path) -> None:
    async def looked_at() -> None:
        async with app.opened(Config(data=tmp_path / "data")) as parts:
            assert parts.gateway._clock is system_clock
            assert parts.gateway._door._clock is system_clock
            assert parts.gateway._door._interfere is None

    asyncio.run(looked_at())


@pytest.mark.parametrize("operation", ["Advance", "AdvanceTime", "Fail", "Reset", "Stub", "SetTime"])
def test_no_call_reaches_them_even_in_a_server_for_tests(passrole: Server, operation: str) -> None:
    with pytest.raises(Exception, match="does not support the operation"):
        passrole._connection.ask(operation, {"seconds": 3600})
