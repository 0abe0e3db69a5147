"""How fast steps follow each other in a real server that runs real functions, every call authorised.

Times are the server's own (CreationTime to LastModifiedTime), so that asking for the end adds nothing.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import definitions
from bench.functions import ECHO
from bench.measure import median_of, p50, wait_until
from bench.server import Server
from bench.table import Figure, Peer, Row

STEPS = 100
ROUNDS = 3


def rows() -> Iterator[Row]:
    """A chain and a fan-out, beside the same number of invocations one after another."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        function = server.function("sagemaker-echo", ECHO)
        lambda_ = server.client("lambda")
        invocation = p50(100, lambda: lambda_.invoke(FunctionName=function, Payload=b"{}"))
        chain = _seconds(server, "chain", definitions.chain(function, STEPS))
        fan_out = _seconds(server, "fan-out", definitions.fan_out(function, STEPS))
        loop = _seconds(server, "loop", definitions.loop(function, STEPS))
    one = Peer("an invocation through boto3", Figure(invocation, "s"))
    many = Peer("invocations through boto3", Figure(1 / invocation, "/s"))
    yield Row(f"server: a step in a chain of {STEPS} real functions", Figure(chain / STEPS, "s"), one)
    yield Row("server: steps a second in that chain", Figure(STEPS / chain, "/s"), many)
    yield Row(f"server: steps a second in a fan-out of {STEPS}", Figure(STEPS / fan_out, "/s"), many)
    without = Peer("that fan-out", Figure(STEPS / fan_out, "/s"))
    yield Row(f"server: steps a second in a ForEach of {STEPS}", Figure(STEPS / loop, "/s"), without)


def run(server: Server, pipeline: str, within: float = 60) -> float:
    """Seconds from the creation of an execution to its end."""
    sagemaker = server.client("sagemaker")
    arn = sagemaker.start_pipeline_execution(PipelineName=pipeline)["PipelineExecutionArn"]
    seen: dict[str, Any] = {}

    def is_over() -> bool:
        seen.update(sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn))
        return bool(seen["PipelineExecutionStatus"] != "Executing")

    wait_until(is_over, f"the end of `{pipeline}`", within=within, pause=0.1)
    if seen["PipelineExecutionStatus"] != "Succeeded":
        raise RuntimeError(f"`{pipeline}` ended as {seen['PipelineExecutionStatus']}")
    seconds: float = (seen["LastModifiedTime"] - seen["CreationTime"]).total_seconds()
    return seconds


def _seconds(server: Server, name: str, definition: str) -> float:
    server.pipeline(name, definition)
    run(server, name)  # starts the workers that the others find running
    return median_of(ROUNDS, lambda: run(server, name))
