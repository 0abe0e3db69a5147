"""kill -9 at random moments of loops: after restarts every item was done, and no finished step again."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Server
from tests.crash.test_kill import NOTE

EXECUTIONS, ITEMS = 5, 40  # of two steps each
KILLS = 6
ITEM = {"Get": "ForEach.CurrentItem"}


def definition(function: str, file: Path) -> str:
    """A loop over two functions, the second fed by the first, and one after it that reads an iteration."""

    def note(name: str, step: object, **more: object) -> dict[str, object]:
        execution = {"Get": "Execution.PipelineExecutionId"}
        arguments = {"execution": execution, "step": step, "file": str(file), **more}
        of = {"Name": name, "Type": "Lambda", "FunctionArn": function, "Arguments": arguments}
        return {**of, "OutputParameters": [{"OutputName": "n", "OutputType": "String"}]}

    second = {"Std:Join": {"On": "", "Values": ["after ", {"Get": "Steps.One.OutputParameters['n']"}]}}
    body = [note("One", ITEM), note("Two", second)]
    arguments = {"IterableItems": [f"i{n}" for n in range(ITEMS)], "MaxConcurrency": 4, "ForEachBody": body}
    last = {"Get": f"Steps.Each.IterationOutputs[{ITEMS - 1}].Two.OutputParameters['n']"}
    loop = {"Name": "Each", "Type": "ForEach", "Arguments": arguments}
    return json.dumps({"Version": "2020-12-01", "Steps": [loop, note("Last", "last", seen=last)]})


@pytest.mark.slow
def test_random_kills_in_loops_lose_no_item_and_repeat_no_finished_step(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server, chance, notes = start_server(), random.Random(11), tmp_path / "notes"
    function = server.function("crash-sagemaker-note", NOTE)
    sagemaker = server.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName="loops",
        RoleArn=server.access["role_arn"],
        PipelineDefinition=definition(function, notes),
    )
    executions = [
        sagemaker.start_pipeline_execution(PipelineName="loops")["PipelineExecutionArn"]
        for _ in range(EXECUTIONS)
    ]
    settled: dict[str, int] = {}
    in_the_middle = 0
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.1, 0.8))
        finished = finished_steps(server, executions)
        server.kill()
        ran = Counter(notes.read_text().splitlines()) if notes.exists() else Counter()
        settled.update({step: ran[step] for step in finished})
        in_the_middle += 0 < len(finished) < EXECUTIONS * ITEMS * 2
        server.start()
    statuses = [server.finished(arn)["PipelineExecutionStatus"] for arn in executions]
    assert Counter(statuses) == {"Succeeded": EXECUTIONS}
    ran = Counter(notes.read_text().splitlines())
    assert len(ran) == EXECUTIONS * (ITEMS * 2 + 1), "each item was done"
    assert in_the_middle >= KILLS / 2, "the kills came too early or too late to tell anything"
    assert {step: ran[step] for step in settled} == settled, "a finished step ran again"


def finished_steps(server: Server, executions: list[str]) -> set[str]:
    """Steps of iterations that have Succeeded, named as the function's notes name them."""
    found: set[str] = set()
    for arn in executions:
        pages = server.client("sagemaker").get_paginator("list_pipeline_execution_steps")
        for page in pages.paginate(PipelineExecutionArn=arn):
            for step in page["PipelineExecutionSteps"]:
                if step["StepStatus"] == "Succeeded" and "IterationContext" in step:
                    context, before = (
                        step["IterationContext"],
                        "" if step["StepName"][:3] == "One" else "after ",
                    )
                    found.add(f"{arn.rpartition('/')[2]} {before}{context['Item']}")
    return found
