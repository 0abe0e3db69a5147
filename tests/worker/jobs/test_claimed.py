"""What this server has claimed goes on here, though its task is another server's by now."""

from collections.abc import Awaitable, Callable

import pytest
from tests.eventually import eventually_async
from tests.worker.jobs.conftest import ACCOUNT, REGION, Bench

from passrole.services.sagemaker.jobs.kinds import TRAINING
from passrole.store import Tx, claims, tasks
from passrole.store.share import Share
from passrole.worker.jobs import runner

KEY = f"{ACCOUNT}/{REGION}/a"


def test_a_job_that_was_let_fall_for_an_outage_goes_on(
    run_bench: Callable[[Callable[[Bench], Awaitable[None]]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claim was written, the answer was lost with the shard of its task, and nobody else may run it."""
    monkeypatch.setattr(Share, "is_whole", False)
    monkeypatch.setattr(runner, "LOOK_SECONDS", 0.05)

    async def scenario(bench: Bench) -> None:
        node = bench.store.share.node = await bench.store.write(lambda tx: claims.enter(tx, "this"))

        def let_fall(tx: Tx) -> None:
            tasks.add(tx, TRAINING.resource, KEY, b"", 1e12)
            assert claims.claim(tx, TRAINING.resource, KEY, node)

        async def released() -> bool:
            return not await bench.store.read(lambda tx: claims.of_node(tx, TRAINING.resource, node, "", 9))

        await bench.start("echo up", also=let_fall)
        assert (await bench.ended()).status == "Completed"
        await eventually_async(released)

    run_bench(scenario)
