import json
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from tests.history.conftest import House

from passrole.definition import DefinitionError
from passrole.history import definitions

Run = Callable[[Callable[[House], Awaitable[None]]], None]
TEXT = (
    '{"Version": "2020-12-01", "Steps": [{"Name": "f", "Type": "Fail", "Arguments": {"ErrorMessage": "é"}}]}'
)


def test_a_text_is_kept_once_and_parsed_once(house: Run) -> None:
    async def scenario(h: House) -> None:
        first = await h.store.write(lambda tx: definitions.keep(tx, TEXT))
        second = await h.store.write(lambda tx: definitions.keep(tx, TEXT))
        assert first == second
        assert await h.store.read(lambda tx: definitions.text_of(tx, first)) == TEXT
        pipeline = await h.store.read(lambda tx: definitions.pipeline_of(tx, first))
        assert pipeline is definitions.parsed(TEXT)

    house(scenario)


def test_a_text_goes_with_the_last_who_keeps_it(house: Run) -> None:
    async def scenario(h: House) -> None:
        def kept() -> Awaitable[int]:
            found: Awaitable[int] = h.store.read(lambda tx: len(tx.all("SELECT 1 FROM definitions")))
            return found

        for owner in ("arn:p", "arn:p", "arn:pp"):
            digest = await h.store.write(partial(definitions.keep, text=TEXT, owner=owner))
        await h.store.write(lambda tx: definitions.let_go(tx, [digest, digest], "arn:p"))
        assert await kept() == 1
        await h.store.write(lambda tx: definitions.let_go(tx, [digest], "arn:p"))
        assert await kept() == 1
        await h.store.write(lambda tx: definitions.let_go(tx, [digest], "arn:pp"))
        assert await kept() == 0

    house(scenario)


def test_a_text_that_defines_nothing_is_refused_every_time() -> None:
    for _ in range(2):
        with pytest.raises(DefinitionError):
            definitions.parsed("{")


def test_what_an_earlier_version_accepted_is_refused_when_new_and_runs_when_stored(house: Run) -> None:
    cache = {"Enabled": True, "ExpireAfter": "soon"}
    step = {"Name": "l", "Type": "Lambda", "FunctionArn": "f", "CacheConfig": cache}
    text = json.dumps({"Version": "2020-12-01", "Steps": [step]})

    async def scenario(h: House) -> None:
        digest = await h.store.write(lambda tx: definitions.keep(tx, text))
        pipeline = await h.store.read(lambda tx: definitions.pipeline_of(tx, digest))
        assert list(pipeline.steps) == ["l"]
        with pytest.raises(DefinitionError, match="'soon' for 'ExpireAfter'"):
            definitions.parsed(text)

    house(scenario)
