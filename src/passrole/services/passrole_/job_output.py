"""What jobs and EMR steps write, and how far their data have come.

The server that runs them has their files; where there are several, the others have the files' ends as rows.
"""

import asyncio
from pathlib import Path
from typing import Any

from passrole import arns
from passrole.faults import Fault
from passrole.runtimes import transfer
from passrole.runtimes.jobs import (
    STDERR,
    STDOUT,
    emr_folder,
    job_folder,
    output_bytes,
    read_output,
    serverless_folder,
)
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.store import shared_files

LOG_BYTES_MAX = 4_194_304

_JOBS = {"training-job": "TrainingJob", "processing-job": "ProcessingJob", "transform-job": "TransformJob"}


@operation(None)
async def read_emr_step_log(
    ctx: Context, *, cluster_id: str, step_id: str, stream: str, offset: int = 0
) -> dict[str, Any]:
    """What an EMR step has written so far to `stdout` or `stderr`, from a byte on, LOG_BYTES_MAX at most.

    A negative offset counts from what is the end now. `Start` is where the text begins in the file: behind
    the offset where another server ran the step and the rows have the end alone, a line's beginning then.
    """
    known = _is_id(cluster_id, "j-") and _is_id(step_id, "s-") and stream in (STDOUT, STDERR)
    if not known or not isinstance(offset, int):
        raise Fault("ValidationException", "there is no such log")
    await ctx.call("emr", "DescribeStep", {"ClusterId": cluster_id, "StepId": step_id})
    return await _read(ctx, emr_folder(ctx.config.data, cluster_id, step_id) / stream, offset)


@operation(None)
async def read_job_run_log(
    ctx: Context, *, application_id: str, job_run_id: str, stream: str, offset: int = 0
) -> dict[str, Any]:
    """What the last attempt of a job run of EMR Serverless has written so far, as `read_emr_step_log`."""
    known = _is_id(application_id, "00") and _is_id(job_run_id, "00") and stream in (STDOUT, STDERR)
    if not known or not isinstance(offset, int):
        raise Fault("ValidationException", "there is no such log")
    named = {"applicationId": application_id, "jobRunId": job_run_id}
    run = (await ctx.call("emr-serverless", "GetJobRun", named))["jobRun"]
    folder = serverless_folder(ctx.config.data, application_id, job_run_id, run["attempt"])
    return await _read(ctx, folder / stream, offset)


@operation(None)
async def describe_job_transfer(ctx: Context, *, job_arn: str) -> dict[str, Any]:
    """How many bytes of how many a job has downloaded or uploaded so far.

    Empty where nothing large is under way. Raises ValidationException for another ARN.
    """
    found = arns.parse(job_arn) if isinstance(job_arn, str) else None
    kind, _, name = found.resource.partition("/") if found else ("", "", "")
    if kind not in _JOBS:
        raise Fault(
            "ValidationException", "JobArn must be the ARN of a training, processing or transform job"
        )
    member = _JOBS[kind]
    described = await ctx.call("sagemaker", f"Describe{member}", {f"{member}Name": name})
    if described[f"{member}Arn"] != job_arn:
        raise Fault("ValidationException", "JobArn must be of this account and region")
    file = job_folder(ctx.config.data, kind, ctx.key(name)) / transfer.FILE
    return dict(transfer.parsed((await _bytes(ctx, file, 0))[1]))


async def _read(ctx: Context, file: Path, offset: int) -> dict[str, Any]:
    start, found = await _bytes(ctx, file, offset)
    if start > max(0, offset) and offset >= 0:  # what was before has gone, a part of this line with it
        cut = found.find(b"\n") + 1
        start, found = start + cut, found[cut:]
    return {"Text": found.decode(errors="replace"), "Start": start, "Offset": start + len(found)}


async def _bytes(ctx: Context, file: Path, offset: int) -> tuple[int, bytes]:
    """Where in the file the bytes begin, and the bytes; of its end alone, where another server has it."""
    if not await asyncio.to_thread(file.exists):
        name = shared_files.name_of(ctx.config.data, file)
        return await ctx.store.read(lambda tx: shared_files.read(tx, name, offset, LOG_BYTES_MAX))
    if offset < 0:
        offset = max(0, offset + await asyncio.to_thread(output_bytes, file.parent, file.name))
    return offset, await asyncio.to_thread(read_output, file.parent, file.name, offset, LOG_BYTES_MAX)


def _is_id(text: object, prefix: str) -> bool:
    if not isinstance(text, str):
        return False
    rest = text.removeprefix(prefix)
    return text.startswith(prefix) and rest.isascii() and rest.isalnum()
