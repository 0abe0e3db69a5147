"""A transform job's objects on their way through its model: fetched, split, predicted, assembled.

Each object becomes a file of its own, complete or absent, so that a server which comes after a killed one
does only what is left. One that fails has no output; the others go on, and the job fails at its end.
Of an object at most `concurrent` payloads and their answers are in memory.
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

import asyncio
import contextlib
import gzip
import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from passrole.clock import Clock
from passrole.faults import Fault
from passrole.runtimes.model_client import Answer, AnswerTooLarge, ServerGone
from passrole.services.sagemaker.jobs import batch_rules
from passrole.services.sagemaker.jobs.batch_rules import MIB, Rules
from passrole.services.sagemaker.jobs.records import Job
from passrole.worker.jobs import inputs, joining, outputs, records
from passrole.worker.jobs.failures import JobFailed, download_failed
from passrole.worker.jobs.inputs import Input, Placed
from passrole.worker.jobs.outputs import Output
from passrole.worker.jobs.programs import Instance
from passrole.worker.jobs.records import BadData, Payload
from passrole.worker.jobs.s3 import Objects
from passrole.worker.jobs.serving import ModelServer

Session = Callable[[], Awaitable[Objects]]

DATA_LOG = "data-log"
"""In the folder of an instance's output: what became of its objects."""

DONE, OBJECTS, OUTCOME = "transformed", "objects", "outcome.json"
_RETRY_SECONDS = 0.2
_TOLD_BYTES_MAX = 1024
_SUCCESS, _ERRORS_OF_SERVER = range(200, 300), 500


class ObjectFailed(Exception):
    """An object has no output; the message is for the data log, `reason` begins FailureReason."""

    def __init__(self, reason: str, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.reason, self.lines = reason, lines


class Batch:
    """A transform job's data. `servers` are those of its model's containers, in their order."""

    def __init__(
        self, job: Job, servers: Sequence[ModelServer], instance: Instance, session: Session, clock: Clock
    ) -> None:
        self._request = job.request
        self._servers = servers
        self._instance = instance
        self._session = session
        self._clock = clock
        self._done = instance.home / DONE
        self._objects = instance.home / OBJECTS

    async def run(self, running: "asyncio.Future[Any]") -> str | None:
        """Transform every object while the servers run: FailureReason, or None.

        Raises JobFailed where the job cannot go on.
        """
        outcome = self._instance.home / OUTCOME
        if outcome.exists():
            return cast(str | None, json.loads(outcome.read_text()))
        found = await self._found()
        for server in self._servers:
            await server.until_ready(running)
        rules = await self._rules()
        failure = await self._transform_all(found, rules)
        outcome.write_text(json.dumps(failure))
        return failure

    async def upload(self, objects: Objects) -> None:
        """Bring the outputs of the objects that succeeded to S3. Raises JobFailed, OSError."""
        output = Output(DONE, self._request["TransformOutput"]["S3OutputPath"], is_required=False)
        await outputs.upload(objects, output, self._instance.home, {})

    def close(self) -> None:
        """Close the connections."""
        for server in self._servers:
            server.client.close()

    async def _found(self) -> list[Placed]:
        """The objects. Raises JobFailed where there are none, and for a key that cannot be a path."""
        source = self._request["TransformInput"]["DataSource"]["S3DataSource"]
        one = Input(source["S3Uri"], "", source["S3DataType"], is_required=False)
        try:
            found = await inputs.found(await self._session(), one)
        except Fault as fault:
            raise download_failed(fault) from None
        files = [each for each in found if not each.path.endswith("/")]
        if not files:
            raise JobFailed(f"ClientError: S3 key: {source['S3Uri']} matched no files on s3")
        for each in files:
            inputs.parts(each)
        return files

    async def _rules(self) -> Rules:
        """What the request says, and for the rest the model."""
        rules = batch_rules.rules(self._request)
        told: Any = {}
        if None in (rules.concurrent, rules.payload_bytes, rules.is_single):
            with contextlib.suppress(ServerGone, AnswerTooLarge, TimeoutError, ValueError):
                async with asyncio.timeout(rules.timeout_seconds):
                    answer = await self._servers[0].client.ask("GET", "/execution-parameters")
                if answer.status in _SUCCESS:
                    told = json.loads(answer.body)
        settled = rules.settled(told if isinstance(told, dict) else {})
        strategy = "SINGLE_RECORD" if settled.is_single else "MULTI_RECORD"
        payload = (settled.payload_bytes or 0) // MIB
        at_once = f"MaxConcurrentTransforms={settled.concurrent}, MaxPayloadInMB={payload}"
        self._say(f"{at_once}, BatchStrategy={strategy}")
        return settled

    async def _transform_all(self, found: Sequence[Placed], rules: Rules) -> str | None:
        """Objects that are not split are as many at once as payloads may be, others one after the other."""
        at_once = (rules.concurrent or 1) if rules.split == "None" else 1
        reasons: list[str] = []

        async def transform() -> None:
            for number, each in waiting:
                try:
                    await self._transform(number, each, rules)
                except ObjectFailed as failed:
                    place = f"{each.source.bucket}/{each.source.key}"
                    self._say(*(f"{place}: {line}" for line in failed.lines))
                    reasons.append(failed.reason)

        waiting = iter(enumerate(found))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(at_once):
                    group.create_task(transform())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        return f"{reasons[0]}: See job logs for more information" if reasons else None

    async def _transform(self, number: int, one: Placed, rules: Rules) -> None:
        """Make the output of an object, unless it is there. Raises ObjectFailed, JobFailed, OSError."""
        *above, name = inputs.parts(one)
        target = self._done.joinpath(*above, f"{name}.out")
        if target.exists():
            return
        self._objects.mkdir(exist_ok=True)
        fetched, part = self._objects / f"{number}", self._objects / f"{number}.out"
        fetched.unlink(missing_ok=True)  # of a download that a crash cut off
        await inputs.download(await self._session(), one, fetched)
        try:
            with _opened(fetched, rules) as source, part.open("wb") as assembled:
                await self._answers(source, assembled, rules)
            target.parent.mkdir(parents=True, exist_ok=True)
            part.replace(target)
        except (BadData, EOFError, gzip.BadGzipFile) as error:
            raise ObjectFailed("ClientError", str(error)) from error
        finally:
            fetched.unlink(missing_ok=True)
            part.unlink(missing_ok=True)

    async def _answers(self, source: BinaryIO, assembled: BinaryIO, rules: Rules) -> None:
        """Write the answers to all payloads of an object, in their order."""
        assert rules.payload_bytes and rules.concurrent and rules.is_single is not None
        processing = rules.processing
        filtered = partial(joining.filtered, rules=processing) if processing else None
        payloads = records.payloads(
            source, rules.split, rules.payload_bytes, is_single=rules.is_single, filtered=filtered
        )
        at_once = 1 if rules.split == "None" else rules.concurrent
        under_way: deque[asyncio.Task[bytes]] = deque()
        try:
            while payload := await asyncio.to_thread(next, payloads, None):
                if len(under_way) == at_once:
                    assembled.write(await under_way.popleft())
                under_way.append(asyncio.create_task(self._predicted(payload, rules)))
            while under_way:
                assembled.write(await under_way.popleft())
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _predicted(self, payload: Payload, rules: Rules) -> bytes:
        """What a payload adds to the output. Raises ObjectFailed, BadData."""
        body, content_type = payload.body, rules.content_type
        for number, server in enumerate(self._servers):
            accept = rules.accept if number == len(self._servers) - 1 else None
            given = {"Content-Type": content_type, "Accept": accept}
            headers = {name: value for name, value in given.items() if value}
            answer = await _invoked(server, body, headers, rules)
            body, content_type = answer.body, answer.content_type
        if rules.processing is None:
            return _ended(body) if rules.assembles_lines else body
        lines = await asyncio.to_thread(joining.joined, payload.records, body, rules.processing)
        return b"".join(map(_ended, lines)) if rules.assembles_lines else b"".join(lines)

    def _say(self, *lines: str) -> None:
        """Add lines to the data log, as AWS writes them."""
        at = (
            datetime.fromtimestamp(self._clock(), UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
        )
        self._instance.run.mkdir(exist_ok=True)
        with (self._instance.run / DATA_LOG).open("a", errors="replace") as file:
            file.writelines(f"{at}:[sagemaker logs]: {line}\n" for line in lines)


async def _invoked(server: ModelServer, body: bytes, headers: dict[str, str], rules: Rules) -> Answer:
    """The model's answer; what fails on its side is tried again. Raises ObjectFailed."""
    for left in range(rules.retries, -1, -1):
        try:
            answer = await server.client.invoke(body, headers, seconds_max=rules.timeout_seconds)
        except AnswerTooLarge as error:
            raise ObjectFailed("ClientError", str(error)) from error
        except (ServerGone, TimeoutError) as error:
            failed = ObjectFailed("AlgorithmError", "Unable to get response from algorithm", str(error))
        else:
            if answer.status in _SUCCESS:
                return answer
            failed = _refused(answer)
            if answer.status < _ERRORS_OF_SERVER:
                raise failed
        if left:
            await asyncio.sleep(_RETRY_SECONDS)
    raise failed


def _refused(answer: Answer) -> ObjectFailed:
    """As AWS logs an answer that is no success."""
    kind = "AlgorithmError" if answer.status >= _ERRORS_OF_SERVER else "ClientError"
    told = answer.body[:_TOLD_BYTES_MAX].decode(errors="replace").splitlines()
    return ObjectFailed(kind, f"{kind}: {answer.status}", "", "Message:", *told)


def _opened(fetched: Path, rules: Rules) -> BinaryIO:
    return cast(BinaryIO, gzip.open(fetched, "rb")) if rules.is_gzip else fetched.open("rb")


def _ended(line: bytes) -> bytes:
    return line if line.endswith(b"\n") else line + b"\n"
