"""A door that does what it is told, a store, and executions of small pipelines in it.

A pipeline is a line of steps: `l` Lambda, `c` Callback, `p` Processing, `m` Model,
`r` RegisterModel, and after each what it depends on:
`l1 c1<l1>`.
"""

import asyncio
import json
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually_async
from tests.store import chosen

from passrole import history
from passrole.arns import Account
from passrole.engine.facts import ExecutionStarted
from passrole.faults import Fault
from passrole.history import ExecutionMetadata, projection
from passrole.policy.request import Principal
from passrole.runtimes.interface import IsDue
from passrole.store import Store, Tx
from passrole.worker import Worker

ACCOUNT = Account("111122223333")
PIPELINE = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:pipeline/p"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/r"
Answer = dict[str, Any] | Fault | Exception | Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]


class FakeDoor:
    """Answers each operation with what was prepared for it, the last answer for ever, and notes the calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Mapping[str, Any], Principal, str]] = []
        self.answers: dict[str, deque[Answer]] = {}
        self.request_ids: defaultdict[str, list[str | None]] = defaultdict(list)
        self.prepare(
            "AssumeRole", {"AssumedRoleUser": {"Arn": "arn:session", "AssumedRoleId": "AROA:SageMaker"}}
        )
        self.prepare("GetFunction", {"Configuration": {"State": "Active", "Timeout": 3}})
        self.prepare("Invoke", {"StatusCode": 200, "Payload": b'{"x": 1}'})
        self.prepare("SendMessage", {"MessageId": "m"})

    def prepare(self, operation: str, *answers: Answer) -> None:
        self.answers[operation] = deque(answers)

    def hold(self, operation: str, answer: dict[str, Any]) -> asyncio.Event:
        """Calls of the operation wait for the event that is returned, and get the answer then."""
        go_on = asyncio.Event()

        async def held(_parameters: Mapping[str, Any]) -> dict[str, Any]:
            await go_on.wait()
            return answer

        self.prepare(operation, held)
        return go_on

    async def __call__(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        principal: Principal,
        region: str,
        request_id: str | None = None,
    ) -> dict[str, Any]:
        self.request_ids[operation].append(request_id)
        self.calls.append((f"{service}:{operation}", parameters, principal, region))
        answers = self.answers[operation]
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, dict) else await answer(parameters)

    def called(self, operation: str) -> list[Mapping[str, Any]]:
        """The parameters of every call of `service:Operation`."""
        return [parameters for name, parameters, _, _ in self.calls if name == operation]


class FakeSlots:
    """Every invocation has a slot at once, or none where they are not free."""

    def __init__(self) -> None:
        self.are_free = True
        self.waiting: dict[str, asyncio.Future[None]] = {}
        self.is_due: IsDue | None = None
        """What the last invocation is asked by, once a worker is ready for it."""

    @contextmanager
    def expecting(self, request_id: str, _party: str, is_due: IsDue) -> Iterator["asyncio.Future[None]"]:
        self.is_due = is_due
        begun = self.waiting[request_id] = asyncio.get_running_loop().create_future()
        if self.are_free:
            begun.set_result(None)
        yield begun
        del self.waiting[request_id]


class Workshop:
    """A worker over a store, with the door's and the clock's hands in the test's."""

    role = ROLE

    def __init__(self, store: Store, door: FakeDoor) -> None:
        self.store, self.door, self.now = store, door, 100.0
        self.slept: list[float] = []
        self.slots = FakeSlots()
        self.worker = self.another_worker()

    def another_worker(self) -> Worker:
        return Worker(self.store, self.door, self.slots, lambda: self.now, sleep=self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def arn(self, name: str = "e") -> str:
        return f"{PIPELINE}/execution/{name}"

    async def start(self, steps: str, name: str = "e") -> str:
        fact = ExecutionStarted(
            at=1.0,
            seed=name,
            pipeline_name="p",
            pipeline_arn=PIPELINE,
            execution_id=name,
            execution_arn=self.arn(name),
        )

        def begin(tx: Tx) -> None:
            digest = history.definitions.keep(tx, _definition(steps))
            history.start(tx, fact, definition=digest, role=ROLE, metadata=ExecutionMetadata(name))

        await self.store.write(begin)
        return self.arn(name)

    async def steps(self, name: str = "e") -> dict[str, dict[str, Any]]:
        folded = await self.store.read(lambda tx: history.load(tx, self.arn(name)))
        return {step["StepName"]: step for step in projection.steps(folded.state, newest_first=False)}

    async def status(self, name: str = "e") -> str:
        return (await self.store.read(lambda tx: history.load(tx, self.arn(name)))).state.status

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it holds."""
        await eventually_async(condition)

    async def end(self, name: str = "e") -> str:
        """The status that the execution ends with."""

        async def over() -> bool:
            return await self.status(name) not in ("Executing", "Stopping")

        await self.until(over)
        return await self.status(name)


Scenario = Callable[[Workshop], Awaitable[None]]


def _definition(steps: str) -> str:
    parts = [_step(word) for word in steps.split()]
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": parts})


def _step(word: str) -> dict[str, Any]:
    name, _, needed = word.rstrip(">").partition("<")
    about: dict[str, Any] = {"Name": name, "DependsOn": needed.split(",") if needed else []}
    outputs = [{"OutputName": "x", "OutputType": "Integer"}]
    if name.startswith("l"):
        arn = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{name}"
        return about | {
            "Type": "Lambda",
            "FunctionArn": arn,
            "Arguments": {"n": 1.5},
            "OutputParameters": outputs,
        }
    if name.startswith("p"):
        passing = ["Step.THROTTLING", "Step.SERVICE_FAULT"]
        policies = [{"ExceptionType": passing, "IntervalSeconds": 43_200, "MaxAttempts": 2}]
        return about | {"Type": "Processing", "Arguments": _PROCESSING, "RetryPolicies": policies}
    if name[0] in _CREATING:
        type_, arguments = _CREATING[name[0]]
        policies = [
            {"ExceptionType": ["SageMaker.RESOURCE_LIMIT"], "IntervalSeconds": 43_200, "MaxAttempts": 2}
        ]
        return about | {"Type": type_, "Arguments": arguments, "RetryPolicies": policies}
    return about | {"Type": "Callback", "SqsQueueUrl": "https://q", "Arguments": {"n": 1.5}}


_CREATING: dict[str, tuple[str, dict[str, Any]]] = {
    "m": ("Model", {"PrimaryContainer": {"Image": "image"}, "Tags": [{"Key": "team", "Value": "a"}]}),
    "r": ("RegisterModel", {"ModelPackageGroupName": "g", "MetadataProperties": {"CommitId": "c"}}),
}
_PROCESSING = {
    "ProcessingResources": {
        "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    },
    "AppSpecification": {"ImageUri": "image"},
    "RoleArn": ROLE,
}


@pytest.fixture
def workshop(tmp_path: Path) -> Callable[[Scenario], None]:
    """Runs a scenario with the worker not yet started, and closes it after; a folder is a life's store."""

    def run(scenario: Scenario) -> None:
        async def opened() -> None:
            store = chosen.opened(tmp_path)
            shop = Workshop(store, FakeDoor())
            try:
                await scenario(shop)
            finally:
                await shop.worker.close()
                await store.close()

        asyncio.run(opened())

    return run


@pytest.fixture
def make_shop() -> Callable[[Store], Workshop]:
    """A workshop on a store of the test's own."""
    return lambda store: Workshop(store, FakeDoor())
