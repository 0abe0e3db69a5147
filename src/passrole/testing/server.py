"""The server of a test session, as tests see it: what they make, start, stub, fail and move in time."""

import difflib
import gc
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from passrole import history
from passrole.api import Call
from passrole.app import Access, Trial
from passrole.client.connection import Connection
from passrole.client.deployment import put_pipeline
from passrole.client.environment import merged, variables
from passrole.clock import system_clock
from passrole.engine.commands import (
    CancelJob,
    CreateResource,
    FindBaseline,
    InvokeFunction,
    ReadJson,
    SendCallback,
    SubmitJob,
)
from passrole.history.outbox import kind_of
from passrole.store import Tx
from passrole.testing import branches
from passrole.testing.branches import Branches
from passrole.testing.definitions import Definition, read
from passrole.testing.executions import Execution
from passrole.testing.faults import AskedFault, Faults
from passrole.testing.moved_time import Due, MovedClock, Time
from passrole.testing.observed import Observed
from passrole.testing.resources import Resources
from passrole.testing.server_thread import ServerThread
from passrole.testing.stubs import Answer, StubFunctions, stub

_INVOCATIONS = kind_of(InvokeFunction)
_CALLS = tuple(
    f"{kind_of(each)}/"
    for each in (SendCallback, SubmitJob, CancelJob, CreateResource, FindBaseline, ReadJson)
)


class Server(Resources):
    """A server of this process: `with Server() as passrole: ...`; the fixture `passrole` is one.

    Between its start and its end, the environment has its endpoint and keys: boto3 and the SageMaker SDK
    reach it and nothing else. `settings` are fields of the server's settings, such as `containers="docker"`.
    """

    def __init__(self, **settings: Any) -> None:
        self._clock = MovedClock()
        self._faults = Faults()
        self._stub_functions = StubFunctions()
        self._invocations = 0
        self._branches: Branches | None = None
        self._stubs: dict[str, dict[str, Any]] = {}
        trial = Trial(
            clock=self._clock,
            signing_clock=system_clock,
            interfere=self._interfere,
            reason_to_fail=self._faults.reason_to_fail,
            ask_test=self._stub_functions.ask,
        )
        self._thread = ServerThread(trial, settings)
        self._replaced: dict[str, str | None] = {}
        self.time = Time(self._clock, self._thread.do, self._due)

    def __enter__(self) -> Self:
        """Started, with the environment set."""
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ended; nothing is left behind."""
        self.close()

    def open(self) -> None:
        """Accept calls, and lead the AWS clients of this process here."""
        self._thread.start()
        gc.collect()
        gc.freeze()  # what was imported stays: looking through it would take a tenth of a second now and then
        super().__init__(Connection(self.url, self._thread.access))
        self._observed = Observed(self._thread, self._connection)
        wanted = merged(os.environ, self.variables)
        self._replaced = {
            name: os.environ.get(name)
            for name in {*os.environ, *wanted}
            if os.environ.get(name) != wanted.get(name)
        }
        _set({name: wanted.get(name) for name in self._replaced})

    def close(self) -> None:
        """End everything, remove every file, and restore the environment."""
        _set(self._replaced)
        self._replaced = {}
        gc.unfreeze()
        self._thread.stop()

    def reset(self) -> None:
        """Be as new: no executions, jobs, functions, queues, buckets, roles, faults and stubs; real time."""
        self._note_branches()
        self._faults.clear()
        self._stub_functions.clear()
        self._stubs.clear()
        self._clock.ahead_seconds = 0.0
        self._thread.reset()
        self.name_anew()

    def count_branches(self) -> Branches:
        """From now on, count at each reset which branches executions have taken; the counts so far."""
        if self._branches is None:
            self._branches = Branches()
        else:
            self._note_branches()
        return self._branches

    def _note_branches(self) -> None:
        if self._branches is not None:
            self._branches.note(self._observed.read(branches.seen))

    @property
    def url(self) -> str:
        """The endpoint for clients of every service."""
        return self._thread.config.endpoint_url

    @property
    def access(self) -> Access:
        """The administrator's keys, and the roles that a new data folder has."""
        return self._thread.access

    @property
    def role_arn(self) -> str:
        """The execution role of a new data folder, with AWS's policy for pipelines' integrations."""
        return self.access.role_arn

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables with which the AWS clients of another process reach the server."""
        return variables(self.url, self.access.region, self._connection.keys)

    def pipeline(self, definition: "Definition", *, name: str | None = None, role: str | None = None) -> str:
        """Create a pipeline, or update the one of that name; its name.

        The definition is a file, JSON text, a mapping, or a Pipeline of the SageMaker SDK.
        """
        found = read(definition, name)
        put_pipeline(self.client("sagemaker"), found.name, found.text, self._role_arn(role))
        return found.name

    def start(
        self,
        pipeline: "Definition",
        *,
        name: str | None = None,
        role: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        **more_parameters: Any,
    ) -> Execution:
        """Start an execution of a pipeline, which is deployed before unless it is named by its name."""
        is_name = (
            isinstance(pipeline, str) and not pipeline.lstrip().startswith("{") and not _is_file(pipeline)
        )
        deployed = str(pipeline) if is_name else self.pipeline(pipeline, name=name, role=role)
        self._check_stubs()
        given = {**(parameters or {}), **more_parameters}
        started = self.client("sagemaker").start_pipeline_execution(
            PipelineName=deployed,
            PipelineParameters=[{"Name": key, "Value": _text(value)} for key, value in given.items()],
        )
        return self.execution(started["PipelineExecutionArn"])

    def run(self, pipeline: "Definition", **options: Any) -> Execution:
        """Start an execution, and wait for its end; options as `start` takes them."""
        return self.start(pipeline, **options).wait()

    def execution(self, arn: str) -> Execution:
        """An execution that somebody has started."""
        return Execution(self._observed, arn)

    def executions(self, pipeline: str) -> list[Execution]:
        """The executions of a pipeline, by its name, newest first."""
        listed = self.client("sagemaker").list_pipeline_executions(PipelineName=pipeline, MaxResults=100)
        return [self.execution(each["PipelineExecutionArn"]) for each in listed["PipelineExecutionSummaries"]]

    def fail(
        self,
        call: str,
        error: str,
        *,
        times: int | None = None,
        message: str | None = None,
        seconds: float = 0.0,
        when: Callable[[Mapping[str, Any]], bool] | None = None,
    ) -> AskedFault:
        """Have calls of an operation fail from now on, `times` of them or all.

        `call` is `sagemaker:CreateTrainingJob`, or the action's name in IAM. `error` is `throttled`,
        `denied`, `slow` (by `seconds`), `killed` (a function or a job), a job's end (`CapacityError`,
        `InternalServerError`, `AlgorithmError`), or a code of the service, such as `ResourceLimitExceeded`.
        `when` chooses calls by their parameters. Raises ValueError for an operation that does not exist.
        """
        return self._faults.add(call, error, times=times, message=message, seconds=seconds, when=when)

    def stub(
        self,
        step: str,
        answer: Answer | None = None,
        *,
        properties: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        outcome: bool | None = None,
        property_files: Mapping[str, Any] | None = None,
        error: str | None = None,
    ) -> None:
        """Have a result stand for the steps of this name, of any type, in executions from now on.

        `properties` are what other steps refer to, beside the step's own arguments; `outputs` are those of a
        Lambda or Callback step, `outcome` is a Condition step's, `property_files` have a Processing step's
        documents by name. With `error` the step fails for this reason. `answer` is a function of the step's
        arguments that returns a mapping of such members; what it raises is the reason of the failure.
        """
        fixed = stub(
            properties=properties,
            outputs=outputs,
            outcome=outcome,
            property_files=property_files,
            error=error,
        )
        if answer is not None and fixed:
            raise ValueError(f"`{step}` is stubbed by a function, which returns all there is to it")
        if answer is not None:
            self._stub_functions.add(step, lambda arguments: stub(**answer(arguments)))
        self._stubs[step] = {"Function": True} if answer is not None else fixed
        self._thread.do(self._write_stubs())

    def unstub(self, *steps: str) -> None:
        """Let these steps, or all, run for real in executions from now on."""
        for step in steps or list(self._stubs):
            self._stubs.pop(step, None)
        self._thread.do(self._write_stubs())

    def _check_stubs(self) -> None:
        """Raises ValueError for a stub of a step that no pipeline has: what it is to replace would run."""
        known = self._observed.step_names()
        for step in self._stubs:
            if step not in known:
                close = difflib.get_close_matches(step, known, 1)
                hint = f"did you mean `{close[0]}`?" if close else f"there are {', '.join(sorted(known))}"
                raise ValueError(f"no pipeline has a step `{step}` to stub; {hint}")

    async def _write_stubs(self) -> None:
        stubs = dict(self._stubs)
        await self._thread.store.write(lambda tx: history.stubs.set_everywhere(tx, stubs))

    async def _interfere(self, call: Call) -> dict[str, Any] | None:
        answer = await self._faults.interfere(call)
        if (call.service, call.operation) == ("lambda", "Invoke") and answer is None:
            self._invocations += 1
        return answer

    async def _due(self) -> Due:
        """An invocation that is made again is work of its own, and has real time of its own."""
        now, runs = self._clock(), self._invocations

        def due(tx: Tx) -> Due:
            rows = tx.all("SELECT kind, key FROM tasks WHERE due IS NULL OR due <= ?", now)
            first = tx.one("SELECT min(due) FROM tasks WHERE due > ?", now)
            later = first[0] - now if first and first[0] is not None else float("inf")
            names = {f"{kind}/{key}/{runs if kind == _INVOCATIONS else ''}" for kind, key in rows}
            return Due(names, {name for name in names if name.startswith(_CALLS)}, later)

        return await self._thread.store.read(due)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_file(text: str) -> bool:
    return text.endswith(".json") or Path(text).is_file()
