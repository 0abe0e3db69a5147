"""A real store, and executions of small pipelines in it.

A pipeline is a line of steps: `l` Lambda, `c` Callback, `e` EMR, `f` Fail, `p` Processing with caching and
retries, and after each what it depends on: `l1 c1<l1> f1<c1>`. Its execution is named by a letter.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.store import chosen

from passrole import history
from passrole.engine.facts import ExecutionStarted, InputFact
from passrole.history import ExecutionMetadata
from passrole.store import SqliteStore, Tx

PIPELINE = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/p"
ROLE = "arn:aws:iam::111122223333:role/r"
Scenario = Callable[["House"], Awaitable[None]]


class House:
    """The store with words for what the tests do to it."""

    role = ROLE
    pipeline = PIPELINE

    def __init__(self, store: SqliteStore) -> None:
        self.store = store

    def arn(self, name: str) -> str:
        return f"{PIPELINE}/execution/{name}"

    async def start(self, name: str, steps: str, at: float = 1.0, **given: Any) -> str:
        """Begin an execution; its ARN."""
        fact = ExecutionStarted(
            at=at,
            seed=name,
            pipeline_name="p",
            pipeline_arn=PIPELINE,
            execution_id=name,
            execution_arn=self.arn(name),
            **given,
        )

        def begin(tx: Tx) -> None:
            digest = history.definitions.keep(tx, definition(steps))
            history.start(
                tx, fact, definition=digest, role=ROLE, metadata=ExecutionMetadata(f"display-{name}")
            )

        await self.store.write(begin)
        return self.arn(name)

    async def advance(self, name: str, fact: InputFact, finished: str | None = None) -> bool:
        return await self.store.write(lambda tx: history.advance(tx, self.arn(name), fact, finished=finished))

    async def load(self, name: str) -> history.Folded:
        return await self.store.read(lambda tx: history.load(tx, self.arn(name)))

    async def row(self, name: str) -> history.Execution:
        found = await self.store.read(lambda tx: history.executions.find(tx, self.arn(name)))
        assert found is not None
        return found

    async def pending(self) -> list[str]:
        """The keys of the commands that nobody has finished."""
        return sorted(task.key for task in await self.store.read(history.pending))


def definition(steps: str) -> str:
    document = {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [],
        "Steps": list(map(step, steps.split())),
    }
    return json.dumps(document)


def step(word: str) -> dict[str, Any]:
    named, _, needed = word.rstrip(">").partition("<")
    name, _, image = named.partition("=")
    about: dict[str, Any] = {"Name": name, "DependsOn": needed.split(",") if needed else []}
    outputs = [{"OutputName": "x", "OutputType": "Integer"}]
    match name[0]:
        case "l":
            about |= {
                "Type": "Lambda",
                "FunctionArn": "arn:f",
                "Arguments": {"n": 1},
                "OutputParameters": outputs,
            }
        case "c":
            about |= {"Type": "Callback", "SqsQueueUrl": "https://q", "Arguments": {"n": 1}}
        case "e":
            submitted = {"HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["true"]}}
            about |= {"Type": "EMR", "Arguments": {"ClusterId": "j-1", "StepConfig": submitted}}
        case "p":
            cache = {"Enabled": True, "ExpireAfter": "PT1M"}
            retried = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 5}
            arguments = {"AppSpecification": {"ImageUri": image or f"image-{name}"}}
            about |= {"Type": "Processing", "Arguments": arguments}
            about |= {"CacheConfig": cache, "RetryPolicies": [retried]}
        case "f":
            about |= {"Type": "Fail", "Arguments": {"ErrorMessage": "bad"}}
    return about


@pytest.fixture
def house(tmp_path: Path) -> Callable[[Scenario], None]:
    """Runs a scenario on a store in a folder of its own; what is run again finds what was left."""

    def run(scenario: Scenario) -> None:
        async def opened() -> None:
            store = chosen.opened(tmp_path)
            try:
                await scenario(House(store))
            finally:
                await store.close()

        asyncio.run(opened())

    return run
