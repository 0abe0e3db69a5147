"""How long a small execution waits beside a large one that keeps every worker it can get busy.

In a real server: the large one has functions of half a second, more than there are workers. The small one's
function was run once before, so that a worker for it is warm, as it is where a pipeline runs regularly. Timed
from the start of its step to the first line of its function, by one machine's clock.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import definitions
from bench.measure import median_of, wait_until
from bench.server import Server
from bench.table import Figure, Row

WIDTH = 150
ROUNDS = 5

_SLOW = "import time\n\ndef handler(event, context):\n    time.sleep(0.5)\n"
_NOW = "import time\n\ndef handler(event, context):\n    return {'at': repr(time.time())}\n"


def rows() -> Iterator[Row]:
    """One row."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        slow, now = server.function("sagemaker-slow", _SLOW), server.function("sagemaker-now", _NOW)
        server.pipeline("large", definitions.fan_out(slow, WIDTH))
        server.pipeline("small", definitions.instant(now))
        sagemaker = server.client("sagemaker")
        _seconds_of_the_small_one(sagemaker)
        large = _start(sagemaker, "large")
        wait_until(lambda: len(_steps(sagemaker, large)) == WIDTH, "the large execution")
        time.sleep(1)  # it has the workers that it can get
        waited = median_of(ROUNDS, lambda: _seconds_of_the_small_one(sagemaker))
    what = f"a small execution beside {WIDTH} functions of another"
    yield Row(f"{what}: its start waits", Figure(waited, "s"), None, Figure(0.1, "s"))


def _seconds_of_the_small_one(sagemaker: Any) -> float:
    arn = _start(sagemaker, "small")
    wait_until(lambda: bool(_outputs(sagemaker, arn)), "the small execution")
    (step,) = _steps(sagemaker, arn)
    return float(_outputs(sagemaker, arn)[0]["Value"]) - float(step["StartTime"].timestamp())


def _start(sagemaker: Any, pipeline: str) -> str:
    arn: str = sagemaker.start_pipeline_execution(PipelineName=pipeline)["PipelineExecutionArn"]
    return arn


def _steps(sagemaker: Any, arn: str) -> list[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(PipelineExecutionArn=arn)
    return [step for page in pages for step in page["PipelineExecutionSteps"]]


def _outputs(sagemaker: Any, arn: str) -> list[dict[str, str]]:
    (step,) = _steps(sagemaker, arn) or [{}]
    found: list[dict[str, str]] = step.get("Metadata", {}).get("Lambda", {}).get("OutputParameters", [])
    return found
