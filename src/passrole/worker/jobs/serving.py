"""A model's container, served on this machine: for batch transform jobs and for endpoints.

    workload      what runs: the user's inference.py, XGBoost's algorithm, a container, the user's command
    ModelServer   one instance of it: prepared from S3, started or found again, asked

To serve a container of a model:

    work = serving.workload(container, is_isolated=False)
    server = ModelServer(InstanceRun(work, instance, config, jobs, access), container)
    await server.prepare(objects)                       # in the session of the model's role
    await server.install(layers)
    running = asyncio.ensure_future(server.run.run())   # to the end of its program
    await server.until_ready(running)
    answer = await server.client.invoke(body, {"Content-Type": "text/csv"}, seconds_max=60)

`container` is a container definition of CreateModel. What fails is a JobFailed, whose message is a
FailureReason. After a restart nothing is prepared again: `run.run()` finds the program that is there
(runtimes/jobs), and so does the client.
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from passrole.runtimes import containers, images
from passrole.runtimes.ml import archives, environment, folder
from passrole.runtimes.ml.archives import BadArchive
from passrole.runtimes.model_client import ModelClient, Place
from passrole.worker.jobs import inputs, programs
from passrole.worker.jobs.failures import JobFailed
from passrole.worker.jobs.instance_run import InstanceRun
from passrole.worker.jobs.layers import Layers
from passrole.worker.jobs.programs import Instance
from passrole.worker.jobs.s3 import Objects
from passrole.worker.jobs.workload import Workload

Definition = Mapping[str, Any]

READY_SECONDS_MAX = 480.0
"""https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-algo-ping-requests.html"""

_PING_SECONDS, _PING_SECONDS_MAX = 0.05, 1.0
_ARCHIVE = "model.tar.gz"


def workload(
    container: Definition, *, is_isolated: bool, of_platform: Mapping[str, str] | None = None
) -> Workload:
    """What serves a container definition of a model; `of_platform` are variables that SageMaker adds."""
    given: Mapping[str, str] = container.get("Environment") or {}
    image: str = container.get("Image") or ""
    return Workload(
        image=image,
        form=lambda machine: images.serving(image, given, machine, is_isolated=is_isolated),
        environment=lambda path, access: environment.serving(given, of_platform or {}, path, access),
        given=given,
        called_with=("serve",),
        is_isolated=is_isolated,
        serves=True,
    )


class ModelServer:
    """One container of a model on one instance."""

    def __init__(self, run: InstanceRun, container: Definition) -> None:
        self.run = run
        self.client = ModelClient(_place(run.instance))
        self._container = container

    async def prepare(self, objects: Objects) -> None:
        """Make the instance's folder anew, and bring the model and its code there.

        Raises JobFailed for an image without a form, for what S3 refuses and for a bad archive; OSError.
        """
        form = (await self.run.form()).form
        instance = self.run.instance
        await asyncio.to_thread(programs.lay_out, folder.serving(), [instance.host], instance)
        await fetch(objects, self._container, instance)
        if form == "command":  # it listens at a port, which it is told when it starts
            programs.own_port(instance)
        if form == "container":
            await self.run.contain()
        self.client = ModelClient(_place(instance))

    async def install(self, layers: Layers) -> None:
        """Have what the model's code requires in a kept layer. Call it before each start of the program."""
        await self.run.install(await self.run.form(), layers)

    async def until_ready(
        self, running: "asyncio.Future[Any]", seconds_max: float = READY_SECONDS_MAX
    ) -> None:
        """Wait until GET /ping is answered with 200. `running` has the exit code of its program, or a list of
        those of several servers.

        Raises JobFailed where one ends before, or the time is over; what `running` raises.
        """
        pause = _PING_SECONDS
        try:
            async with asyncio.timeout(seconds_max):
                while not await self.client.is_ready():
                    await asyncio.wait([running], timeout=pause)
                    if running.done():
                        raise JobFailed(ended(_code(running.result())))
                    pause = min(pause * 1.5, _PING_SECONDS_MAX)
        except TimeoutError:
            raise JobFailed(
                f"AlgorithmError: The container did not pass the ping health check in {seconds_max:.0f} s. "
                "See job logs for more information"
            ) from None


def ended(code: int) -> str:
    """FailureReason where a server ends although it is asked."""
    return f"AlgorithmError: The container ended with exit code {code}. See job logs for more information"


async def fetch(objects: Objects, container: Definition, instance: Instance) -> None:
    """Bring a container's model, unpacked, and the code that its Environment names to the instance's folder.

    Raises JobFailed, OSError.
    """
    if container.get("Mode") == "MultiModel":
        raise JobFailed("ClientError: passrole does not support containers with Mode MultiModel")
    source = (container.get("ModelDataSource") or {}).get("S3DataSource")
    if source is None and container.get("ModelDataUrl"):
        source = {"S3Uri": container["ModelDataUrl"], "S3DataType": "S3Object", "CompressionType": "Gzip"}
    if source is not None:
        await _fetch_model(objects, source, instance)
    submitted = (container.get("Environment") or {}).get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    if submitted.startswith("s3://"):
        await fetch_code(objects, submitted, instance)


async def fetch_code(objects: Objects, uri: str, instance: Instance) -> None:
    """Bring the user's code, an archive, to where programs look for it. Raises JobFailed, OSError."""
    await _fetch_object(objects, uri, instance, "code", programs.CODE)


async def _fetch_model(objects: Objects, source: Mapping[str, Any], instance: Instance) -> None:
    uri, is_object = source["S3Uri"], source["S3DataType"] == "S3Object"
    if source["CompressionType"] == "None":
        one = inputs.Input(uri, folder.MODEL)
        await inputs.place(objects, one, instance.ml, 0, 1)
        return
    if not is_object:
        raise JobFailed(
            "ClientError: ModelDataSource with CompressionType Gzip needs the S3DataType S3Object"
        )
    await _fetch_object(objects, uri, instance, "archive", f"../{_ARCHIVE}")
    archive = instance.home / _ARCHIVE
    try:
        await archives.unpack(archive, instance.ml / folder.MODEL)
    except BadArchive as error:
        raise JobFailed(f"ClientError: The model archive {uri} is refused: {error}") from None
    archive.unlink()


async def _fetch_object(objects: Objects, uri: str, instance: Instance, place: str, path: str) -> None:
    """One object, by way of a folder of this name, to a path from /opt/ml."""
    one = inputs.Input(uri, place)
    await inputs.place(objects, one, instance.home, 0, 1)
    fetched = instance.home / place / uri.rpartition("/")[2]
    if not fetched.is_file():
        raise JobFailed(f"ClientError: {uri} is not an object")
    fetched.rename(instance.ml / path)


def _place(instance: Instance) -> Place:
    """Where the instance's program listens: at a port if it has one of its own."""
    if (instance.home / programs.PORT).exists() or containers.exists(instance.home):
        return Place(port=programs.own_port(instance))
    return Place(socket=instance.ml / programs.SOCKET)


def _code(result: Any) -> int:
    """Of one program, or of the first of several."""
    return int(result[0] if isinstance(result, list) else result)
