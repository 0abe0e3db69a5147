from typing import Any, get_args

import orjson
import pytest

from passrole.definition.steps import RetryPolicy
from passrole.engine.commands import (
    AnswerStub,
    AwaitRetry,
    CancelJob,
    Command,
    CreateResource,
    FindBaseline,
    InvokeFunction,
    ReadJson,
    SearchCache,
    SendCallback,
    SubmitJob,
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
        AnswerStub(step="s", attempt=1, arguments={"x": 1}),
        "s/1",
        {"command": "AnswerStub", "step": "s", "attempt": 1, "arguments": {"x": 1}},
    ),
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
        SubmitJob(step="s", attempt=1, kind="EMR", name="n", request={"ClusterId": "j"}),
        "s/1",
        {
            "command": "SubmitJob",
            "step": "s",
            "attempt": 1,
            "kind": "EMR",
            "name": "n",
            "request": {"ClusterId": "j"},
        },
    ),
    (
        CreateResource(step="s", attempt=1, kind="Model", name="n", request={"PrimaryContainer": {}}),
        "s/1",
        {
            "command": "CreateResource",
            "step": "s",
            "attempt": 1,
            "kind": "Model",
            "name": "n",
            "request": {"PrimaryContainer": {}},
        },
    ),
    (
        FindBaseline(step="s", attempt=2, group="G"),
        "s/2/baseline",
        {"command": "FindBaseline", "step": "s", "attempt": 2, "group": "G"},
    ),
    (
        ReadJson(step="s", attempt=1, wanted=[["s3://b/k", "a.b"]], turn=2),
        "s/1/json-2",
        {"command": "ReadJson", "step": "s", "attempt": 1, "wanted": [["s3://b/k", "a.b"]], "turn": 2},
    ),
    (
        SearchCache(step="s", attempt=1, digest="d", age_seconds=5),
        "s/1",
        {"command": "SearchCache", "step": "s", "attempt": 1, "digest": "d", "age_seconds": 5},
    ),
    (
        AwaitRetry(step="s", attempt=2, due=7.5),
        "s/2",
        {"command": "AwaitRetry", "step": "s", "attempt": 2, "due": 7.5},
    ),
    (
        CancelJob(step="s", attempt=1, kind="EMR", handle={"StepId": "e"}),
        "s/1/stopping",
        {"command": "CancelJob", "step": "s", "attempt": 1, "kind": "EMR", "handle": {"StepId": "e"}},
    ),
]
FORMER: list[tuple[Command, dict[str, object]]] = [
    (
        SubmitJob(
            step="s",
            attempt=1,
            kind="EMR",
            name="n",
            request={"StepConfig": {"HadoopJarStep": {}}, "ClusterId": "j", "ExecutionRoleArn": "r"},
            retries=(RetryPolicy(("Step.THROTTLING",)),),
        ),
        {
            "command": "SubmitEmrStep",
            "step": "s",
            "attempt": 1,
            "emr_step_name": "n",
            "step_config": {"HadoopJarStep": {}},
            "cluster_id": "j",
            "role": "r",
            "retries": [{"exceptions": ["Step.THROTTLING"], "interval_seconds": 1.0}],
        },
    ),
    (
        CancelJob(
            step="s",
            attempt=1,
            kind="EMR",
            handle={"ClusterId": "j", "StepId": "e", "OwnsCluster": True},
        ),
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


@pytest.mark.parametrize(("command", "stored"), FORMER)
def test_what_an_earlier_version_stored_is_read(command: Command, stored: dict[str, Any]) -> None:
    assert from_json(stored) == command


@pytest.mark.parametrize(("command", "named", "stored"), STORED)
def test_a_command_is_stored_like_this_and_comes_back(
    command: Command, named: str, stored: dict[str, object]
) -> None:
    assert to_json(command) == stored
    assert from_json(orjson.loads(orjson.dumps(to_json(command)))) == command
    assert key(command) == named


def test_every_kind_of_command_is_pinned() -> None:
    assert {type(command) for command, _, _ in STORED} == set(get_args(Command))
