"""What waiting costs, and how soon an answer is heard.

An answer is timed from before boto3 sends it until the next step's function runs, by one machine's clock.
Ten thousand executions wait in a server that has first been warmed up; what they add is what is told.
"""

import json
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench import definitions
from bench.measure import median_of, p50, wait_until
from bench.server import Server
from bench.table import Figure, Peer, Row

ROUNDS = 31
WAITING = 10_000
WARM_UP = 200
CLIENTS = 4
IDLE_SECONDS = 4
RESTARTS = 3

NOW = "import time\n\ndef handler(event, context):\n    return {'at': repr(time.time())}\n"


def rows() -> Iterator[Row]:
    """First one that is answered, then many that nobody answers."""
    yield _answered()
    yield from _unanswered()


def _answered() -> Row:
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        function, lambda_ = server.function("sagemaker-now", NOW), server.client("lambda")
        queue_url = server.client("sqs").create_queue(QueueName="sagemaker-approvals")["QueueUrl"]
        server.pipeline("approval", definitions.approval(queue_url, function))
        invocation = p50(100, lambda: lambda_.invoke(FunctionName=function, Payload=b"{}"))
        clients = server.client("sagemaker"), server.client("sqs")
        seconds_to_next(*clients, queue_url)
        seconds = median_of(ROUNDS, lambda: seconds_to_next(*clients, queue_url))
    peer = Peer("an invocation through boto3", Figure(invocation, "s"))
    return Row(
        "callback answer to next step's function running", Figure(seconds, "s"), peer, Figure(0.005, "s")
    )


def seconds_to_next(sagemaker: Any, sqs: Any, queue_url: str) -> float:
    """From an answer until the next step's function runs."""
    arn = sagemaker.start_pipeline_execution(PipelineName="approval")["PipelineExecutionArn"]
    message = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=20)["Messages"][0]
    sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    token = json.loads(message["Body"])["token"]
    time.sleep(0.02)  # until the server has nothing else to do
    answered = time.time()
    sagemaker.send_pipeline_execution_step_success(CallbackToken=token)

    def outputs() -> list[dict[str, str]]:
        listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
        newest = listed["PipelineExecutionSteps"][0]
        found: list[dict[str, str]] = newest.get("Metadata", {}).get("Lambda", {}).get("OutputParameters", [])
        return found

    wait_until(lambda: bool(outputs()), "the next step")
    return float(outputs()[0]["Value"]) - answered


def _unanswered() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        with Server(Path(folder)) as server:
            empty = server.ready_seconds
            sqs, sagemaker = server.client("sqs"), server.client("sagemaker")
            queue_url = sqs.create_queue(QueueName="sagemaker-waiting")["QueueUrl"]
            server.pipeline("waiting", definitions.approval(queue_url))
            _start(sagemaker, WARM_UP)
            _sent(sqs, queue_url, WARM_UP)
            before, began = server.resident_bytes, time.perf_counter()
            _start(sagemaker, WAITING)
            _sent(sqs, queue_url, WARM_UP + WAITING)
            took, added = time.perf_counter() - began, server.resident_bytes - before
            idle = idle_cores(server)
        restart = median_of(RESTARTS, lambda: _restart(Path(folder)))
    yield Row(f"{WAITING:,} waiting: memory added", Figure(added, "bytes"), None, Figure(50e6, "bytes"))
    yield Row(f"{WAITING:,} waiting: idle CPU", Figure(idle, "cores"), None, Figure(0.01, "cores"))
    peer = Peer("the start on an empty folder", Figure(empty, "s"))
    yield Row(f"{WAITING:,} waiting: restart until ready", Figure(restart, "s"), peer, Figure(0.5, "s"))
    yield Row(f"{WAITING:,} waiting: started and asked, {CLIENTS} clients", Figure(WAITING / took, "/s"))


def _start(sagemaker: Any, executions: int) -> None:
    def start(_: int) -> None:
        sagemaker.start_pipeline_execution(PipelineName="waiting")

    with ThreadPoolExecutor(CLIENTS) as clients:
        for _ in clients.map(start, range(executions)):
            pass


def _sent(sqs: Any, queue_url: str, messages: int) -> None:
    """Wait until that many executions wait."""
    name = "ApproximateNumberOfMessages"

    def all_there() -> bool:
        answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[name])
        return int(answer["Attributes"][name]) >= messages

    wait_until(all_there, f"{messages} messages", pause=0.2)


def idle_cores(server: Server) -> float:
    """Processor cores that the server uses while nobody calls it."""
    time.sleep(1)  # a checkpoint of the database may still be under way
    used, began = server.cpu_seconds, time.perf_counter()
    time.sleep(IDLE_SECONDS)
    return (server.cpu_seconds - used) / (time.perf_counter() - began)


def _restart(folder: Path) -> float:
    with Server(folder) as server:
        return server.ready_seconds
