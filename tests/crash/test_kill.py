"""kill -9 at random moments: after restarts everything ends as if nothing had happened."""

import contextlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from tests.conftest import Server

EXECUTIONS, CHAIN = 21, 10  # 210 Lambda steps, and a callback in each execution
KILLS = 8

# The function writes one line a call: which step of which execution really ran, and when it had ended.
NOTE = """
    import os
    import time

    def handler(event, context):
        time.sleep(0.1)
        line = f"{event['execution']} {event['step']}\\n".encode()
        file = os.open(event["file"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(file, line)
        os.close(file)
        return {"n": event["step"]}
"""


def definition(function: str, queue_url: str, file: Path) -> str:
    """A chain of functions, each fed by the one before, with an approval in the middle."""
    steps: list[dict[str, Any]] = []
    for number in range(CHAIN):
        arguments = {"execution": {"Get": "Execution.PipelineExecutionId"}, "step": number, "file": str(file)}
        if number:
            arguments["before"] = {"Get": f"Steps.S{number - 1}.OutputParameters['n']"}
        if number == CHAIN // 2:
            arguments["who"] = {"Get": "Steps.Ask.OutputParameters['who']"}
        steps.append(
            {
                "Name": f"S{number}",
                "Type": "Lambda",
                "FunctionArn": function,
                "Arguments": arguments,
                "OutputParameters": [{"OutputName": "n", "OutputType": "Integer"}],
            }
        )
    ask = {
        "Name": "Ask",
        "Type": "Callback",
        "SqsQueueUrl": queue_url,
        "Arguments": {"n": {"Get": "Steps.S0.OutputParameters['n']"}},
        "OutputParameters": [{"OutputName": "who", "OutputType": "String"}],
    }
    return json.dumps({"Version": "2020-12-01", "Steps": [*steps, ask]})


@pytest.mark.slow
def test_random_kills_lose_nothing_and_repeat_no_finished_step(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    server, chance, notes = start_server(), random.Random(7), tmp_path / "notes"
    queue_url = server.client("sqs").create_queue(QueueName="crash-sagemaker")["QueueUrl"]
    function = server.function("crash-sagemaker-note", NOTE)
    text = definition(function, queue_url, notes)
    server.client("sagemaker").create_pipeline(
        PipelineName="crash", RoleArn=server.access["role_arn"], PipelineDefinition=text
    )
    executions = [
        server.client("sagemaker").start_pipeline_execution(PipelineName="crash")["PipelineExecutionArn"]
        for _ in range(EXECUTIONS)
    ]
    settled: dict[str, int] = {}
    in_the_middle = 0
    for _ in range(KILLS):
        with answering(server, queue_url):
            time.sleep(chance.uniform(0.05, 0.6))
            finished = finished_steps(server, executions)
            server.kill()
        ran = Counter(notes.read_text().splitlines()) if notes.exists() else Counter()
        settled.update({step: ran[step] for step in finished})
        in_the_middle += 0 < len(finished) < EXECUTIONS * CHAIN
        server.start()
    with answering(server, queue_url):
        statuses = [server.finished(arn)["PipelineExecutionStatus"] for arn in executions]
    assert Counter(statuses) == {"Succeeded": EXECUTIONS}
    ran = Counter(notes.read_text().splitlines())
    assert len(ran) == EXECUTIONS * CHAIN
    assert in_the_middle >= KILLS / 2, "the kills came too early or too late to tell anything"
    assert {step: ran[step] for step in settled} == settled, "a finished step ran again"
    assert all(len(server.steps(arn)) == CHAIN + 1 for arn in executions)


def finished_steps(server: Server, executions: list[str]) -> set[str]:
    """Lambda steps that have Succeeded, named as the function's notes name them."""
    return {
        f"{arn.rpartition('/')[2]} {name.removeprefix('S')}"
        for arn in executions
        for name, step in server.steps(arn).items()
        if step["StepStatus"] == "Succeeded" and name != "Ask"
    }


@contextlib.contextmanager
def answering(server: Server, queue_url: str) -> Iterator[None]:
    """A queue consumer runs meanwhile, and survives the server's death."""
    ended = threading.Event()
    consumer = threading.Thread(target=answer_callbacks, args=(server, queue_url, ended))
    consumer.start()
    try:
        yield
    finally:
        ended.set()
        consumer.join()


def answer_callbacks(server: Server, queue_url: str, ended: threading.Event) -> None:
    """A message whose answer got lost comes again; a second answer to the same token is refused."""
    sqs, sagemaker = server.client("sqs"), server.client("sagemaker")
    while not ended.is_set():
        with contextlib.suppress(BotoCoreError):
            received = sqs.receive_message(QueueUrl=queue_url, VisibilityTimeout=1, MaxNumberOfMessages=10)
            for message in received.get("Messages", ()):
                token = json.loads(message["Body"])["token"]
                with contextlib.suppress(ClientError):  # a second answer: the first one had arrived
                    sagemaker.send_pipeline_execution_step_success(
                        CallbackToken=token, OutputParameters=[{"Name": "who", "Value": "ann"}]
                    )
                sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        time.sleep(0.02)
