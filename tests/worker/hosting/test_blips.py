"""The database is away for a moment: no answer is lost for that, and what was left is found all the same."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.worker.failing_writes import make_quick
from tests.worker.hosting.conftest import ENDPOINT, FLEET, WITHOUT_ROLE, Node, Scenario

from passrole.disk import StoreUnreachable
from passrole.runtimes.jobs import is_running
from passrole.runtimes.model_servers import Inference
from passrole.services.sagemaker.hosting import states
from passrole.services.sagemaker.hosting.records import ENDPOINTS, IN_SERVICE, Variant, place_of
from passrole.worker.due_keys import LOOK_SECONDS
from passrole.worker.hosting import instance

SERVES = """
import pathlib, socketserver, time
from http.server import BaseHTTPRequestHandler

class Model(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        pathlib.Path("asked").touch()
        while not pathlib.Path("gate").exists():
            time.sleep(0.01)
        self.do_GET()
        self.wfile.write(b"answer")

    def log_message(self, *_):
        pass

socketserver.ThreadingUnixStreamServer("socket", Model).serve_forever()
"""
"""A model whose answer waits for a gate; its folder is that of its socket."""

NONE: Variant = {**WITHOUT_ROLE, "count": 0, "count_wanted": 0}
PLACE = place_of(ENDPOINT, FLEET["number"], WITHOUT_ROLE["name"])


class Blip:
    """Fails the read in which endpoints are looked for, once when it is due; counts those that did not."""

    def __init__(self, node: Node, patch: pytest.MonkeyPatch) -> None:
        self.is_due = False
        self.looked = 0
        read = node.store.read

        async def failing(fn: Callable[[Any], Any]) -> Any:
            if fn == ENDPOINTS.keys and self.is_due:
                self.is_due = False
                raise StoreUnreachable("it is started again")
            found = await read(fn)
            self.looked += fn == ENDPOINTS.keys
            return found

        patch.setattr(node.store, "read", failing)


def test_an_answer_that_is_on_its_way_comes(
    run_node: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_quick(monkeypatch)
    monkeypatch.setattr(instance, "GRACE_SECONDS", 0.0)  # it is in no sandbox, in which it would be asked

    async def scenario(node: Node) -> None:
        run = await node.leave([sys.executable, "-c", SERVES])
        folder = node.home() / "ml" / "server"
        blip = Blip(node, monkeypatch)
        await node.put(ENDPOINT)
        node.start()
        await node.servers.there(PLACE, 60.0)
        asked = asyncio.create_task(node.servers.invoke(PLACE, Inference("p", b"", {}, 60.0, 1000)))
        await eventually_async((folder / "asked").exists)
        await node.store.write(lambda tx: states.scaling(tx, ENDPOINT, [NONE], 1001.0))

        async def has_scaled() -> bool:
            row = await node.row()
            return row is not None and row.status == IN_SERVICE

        await eventually_async(has_scaled)
        blip.is_due = True
        node.now += LOOK_SECONDS
        await eventually_async(lambda: not blip.is_due)
        looked = blip.looked
        await eventually_async(lambda: blip.looked > looked)
        (folder / "gate").touch()
        assert (await asked).answer.body == b"answer"
        await eventually_async(lambda: not is_running(run))

    run_node(scenario)


def test_what_an_earlier_process_has_left_is_ended(
    run_node: Callable[[Scenario], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_quick(monkeypatch)
    another = replace(ENDPOINT, name="another")
    scaled = replace(ENDPOINT, fleet={**FLEET, "variants": [NONE]})

    async def scenario(node: Node) -> None:
        sleeps = ["sleep", "600"]
        runs = [await node.leave(sleeps), await node.leave(sleeps, another)]
        homes = [node.home(), node.home(another)]
        blip = Blip(node, monkeypatch)
        blip.is_due = True
        await node.put(scaled)
        node.start()
        await eventually_async(lambda: not any(map(is_running, runs)))
        await eventually_async(lambda: not any(each.parent.exists() for each in homes))
        await eventually_async(lambda: not homes[1].parent.parent.exists())
        assert not blip.is_due

    run_node(scenario)
