"""kill -9 of a server whose trail is rows: a call that was answered is in the trail, once."""

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from click.testing import CliRunner
from tests.conftest import Server
from tests.policies import allowing
from tests.postgres import Cluster

from passrole import audit
from passrole.cli import main
from passrole.config import Config
from passrole.store import opening

KILLS, CALLERS = 5, 4


class Callers:
    """Threads that call until they are told to stop; `answered` are the request ids of answers."""

    def __init__(self, server: Server) -> None:
        self.answered: list[str] = []
        self._client = server.client("sqs")
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        while not self._is_over.is_set():
            try:
                answer = self._client.list_queues()
            except ClientError as error:
                answer = error.response
            except BotoCoreError:
                time.sleep(0.05)  # no server runs at the moment
                continue
            self.answered.append(answer["ResponseMetadata"]["RequestId"])


def test_no_answered_call_is_without_its_line_and_none_has_two(
    start_server: Callable[..., Server], postgres: Cluster
) -> None:
    url = postgres.create("killed_with_trail")
    server = start_server(store=url)
    config = Config(data=server.data, store=url)
    callers, chance = Callers(server), random.Random(7)
    try:
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.1, 1.5))  # a moment as good as any other
            server.kill()
            assert not missing(callers.answered, config), "while no server runs"
            server.start()
    finally:
        callers.stop()
    assert len(callers.answered) > KILLS
    assert not missing(callers.answered, config), "while a server runs"
    server.stop()
    assert not missing(callers.answered, config)
    with opening.looking(config) as store:
        assert store is not None
        (rows,) = store.look(lambda tx: tx.all("SELECT count(*), count(DISTINCT line) FROM audit_lines"))
    lines = (server.data / "audit.jsonl").read_bytes().splitlines()
    assert rows == (len(lines), len(set(lines))), "a server that ends has copied all lines"


def missing(answered: list[str], config: Config) -> set[str]:
    """Of the calls, answered until now, those that the trail does not have; none of all is there twice."""
    known = set(answered)
    with opening.looking(config) as store:
        assert store is not None
        found = Counter(
            (each.request_id, each.operation, each.time)
            for each in audit.entries(config.data, look=store.look)
        )
    assert [each for each, times in found.items() if times > 1] == []
    return known - {request_id for request_id, _, _ in found}


def test_explain_finds_a_call_whose_server_was_killed_at_once(
    start_server: Callable[..., Server], postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.create("killed_at_once")
    server = start_server(store=url)
    nobody = server.client("sqs", allowing("s3:*"))
    with contextlib.suppress(ClientError):
        nobody.list_queues()
    server.kill()
    monkeypatch.setenv("PASSROLE_STORE", url)
    result = CliRunner().invoke(main, ["explain", "--data", str(server.data)], prog_name="passrole")
    assert (result.exit_code, "sqs:ListQueues, request" in result.stdout) == (1, True), result.output
