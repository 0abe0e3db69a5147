from typing import get_args

import orjson
import pytest

from passrole.engine.commands import (
    CancelEmrStep,
    Command,
    InvokeFunction,
    ReadJson,
    SendCallback,
    SubmitEmrStep,
    from_json,
    key,
    to_json,
)

INVOKE = InvokeFunction(step="s", attempt=1, function_arn="arn:f", payload={"n": [1, None]})
SEND = SendCallback(step="s", attempt=1, queue_url="https://q", token="t" * 10, arguments={"a": 1.5})
STOP = SendCallback(
    step="s", attempt=1, queue_url="https://q", token="t" * 10, arguments={"a": 1.5}, status="Stopping"
)
SENT = {"step": "s", "attempt": 1, "queue_url": "https://q", "token": "t" * 10, "arguments": {"a": 1.5}}
STORED: list[tuple[Command, str, dict[str, object]]] = [
    (
        INVOKE,
        "s/1",
        {
            "command": "InvokeFunction",
            "step": "s",
            "attempt": 1,
            "function_arn": "arn:f",
            "payload": {"n": [1, None]},
        },
    ),
    (SEND, "s/1", {"command": "SendCallback", **SENT}),
    (STOP, "s/1/stopping", {"command": "SendCallback", **SENT, "status": "Stopping"}),
    (
        SubmitEmrStep(
            step="s", attempt=1, emr_step_name="n", step_config={"HadoopJarStep": {}}, cluster_id="j"
        ),
        "s/1",
        {
            "command": "SubmitEmrStep",
            "step": "s",
            "attempt": 1,
            "emr_step_name": "n",
            "step_config": {"HadoopJarStep": {}},
            "cluster_id": "j",
        },
    ),
    (
        ReadJson(step="s", attempt=1, wanted=[["s3://b/k", "a.b"]], turn=2),
        "s/1/json-2",
        {"command": "ReadJson", "step": "s", "attempt": 1, "wanted": [["s3://b/k", "a.b"]], "turn": 2},
    ),
    (
        CancelEmrStep(step="s", attempt=1, cluster_id="j", emr_step_id="e", owns_cluster=True),
        "s/1/stopping",
        {
            "command": "CancelEmrStep",
            "step": "s",
            "attempt": 1,
            "cluster_id": "j",
            "emr_step_id": "e",
            "owns_cluster": True,
        },
    ),
]


@pytest.mark.parametrize(("command", "named", "stored"), STORED)
def test_a_command_is_stored_like_this_and_comes_back(
    command: Command, named: str, stored: dict[str, object]
) -> None:
    assert to_json(command) == stored
    assert from_json(orjson.loads(orjson.dumps(to_json(command)))) == command
    assert key(command) == named


def test_every_kind_of_command_is_pinned() -> None:
    assert {type(command) for command, _, _ in STORED} == set(get_args(Command))
