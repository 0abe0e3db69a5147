"""How many invocations run at once, where a setting limits it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.eventually import eventually

WAITS = """
import os, time
def handler(event, context):
    open(event["folder"] + "/" + event["name"], "w").close()
    while not os.path.exists(event["folder"] + "/gate"):
        time.sleep(0.02)
    return event["name"]
"""


@pytest.fixture
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which one invocation runs at once, although it has more workers."""
    running = Server(tmp_path_factory.mktemp("limited") / "data", lambda_invocations_max="1")
    yield running
    running.stop()


def test_one_more_is_throttled_in_awss_words_and_an_asynchronous_one_waits(
    narrow: Server, tmp_path: Path
) -> None:
    arn, client = narrow.function("waits", WAITS, Timeout=60), narrow.client("lambda")

    def invoke(name: str, **options: str) -> bytes:
        event = b'{"folder": "%s", "name": "%s"}' % (str(tmp_path).encode(), name.encode())
        answer: bytes = client.invoke(FunctionName=arn, Payload=event, **options)["Payload"].read()
        return answer

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(invoke, "first")
        eventually((tmp_path / "first").exists)
        invoke("event", InvocationType="Event")
        with pytest.raises(ClientError) as refused:
            invoke("second")
        (tmp_path / "gate").touch()
        assert first.result(60) == b'"first"'
    answer: Any = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert answer["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    assert (answer["Reason"], answer["Type"]) == ("ConcurrentInvocationLimitExceeded", "User")
    eventually((tmp_path / "event").exists)
    assert not (tmp_path / "second").exists()
