"""The rehearsal: a server under load is backed up and restored by the commands of the page on backups."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.pipelines import daily_pipeline
from tests.conftest import Server
from tests.eventually import eventually
from tests.postgres import Cluster, program

PAGE = (Path(__file__).parents[3] / "docs" / "howto" / "back-up-and-restore.md").read_text()
COMMANDS = re.compile(r"```sh\n(.*?)```", re.DOTALL)
ENOUGH = 15
"""What each writer has been answered before the backup begins."""


class Load:
    """Writers that go on until the end of the block, and what they were answered."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._queue = server.client("sqs").create_queue(QueueName="load")["QueueUrl"]
        server.client("s3").create_bucket(Bucket="load")
        daily_pipeline.deployed(server, "load")
        self._ends = threading.Event()
        self.messages, self.objects, self.executions = list[str](), list[str](), list[str]()
        writers: list[tuple[Callable[[int], str], list[str]]] = [
            (self._sent, self.messages),
            (self._put, self.objects),
            (self._started, self.executions),
        ]
        self._threads = [threading.Thread(target=self._write, args=each) for each in writers]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def acknowledged(self) -> tuple[list[str], list[str], list[str]]:
        """Messages, keys and executions so far, once there are enough of each."""
        eventually(lambda: min(len(self.messages), len(self.objects), len(self.executions)) >= ENOUGH)
        return self.messages[:], self.objects[:], self.executions[:]

    def _write(self, write: Callable[[int], str], answered: list[str]) -> None:
        number = 0
        while not self._ends.is_set():
            number += 1
            answered.append(write(number))

    def _sent(self, number: int) -> str:
        answer = self._server.client("sqs").send_message(QueueUrl=self._queue, MessageBody=f"body {number}")
        message_id: str = answer["MessageId"]
        return message_id

    def _put(self, number: int) -> str:
        key = f"key-{number % 50:02}"  # objects are overwritten meanwhile
        put = self._server.client("s3").put_object
        put(Bucket="load", Key=key, Body=f"{number} of {key}", Metadata={"of": key})
        return key

    def _started(self, _: int) -> str:
        start = self._server.client("sagemaker").start_pipeline_execution
        arn: str = start(PipelineName="load")["PipelineExecutionArn"]
        return arn


def commands(heading: str) -> str:
    """The commands of the page between this heading and the next, without the server's start."""
    (section,) = [part for part in re.split(r"^#+ ", PAGE, flags=re.MULTILINE) if part.startswith(heading)]
    lines = "".join(COMMANDS.findall(section)).splitlines()
    assert lines
    assert all("passrole serve" not in line for line in lines[:-1])
    return "\n".join(line for line in lines if not line.startswith("passrole serve"))


def typed(heading: str, folder: Path, **variables: str) -> str:
    """Type the commands of a section; what they print."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-e", "-c", commands(heading)],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), **{name: text for name, text in variables.items() if text}},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def assert_whole(restored: Server, acknowledged: tuple[list[str], list[str], list[str]]) -> None:
    """What was answered before the backup is there, and goes on."""
    messages, keys, executions = acknowledged
    sqs, s3, sagemaker = (restored.client(name) for name in ("sqs", "s3", "sagemaker"))
    url, received = sqs.get_queue_url(QueueName="load")["QueueUrl"], set[str]()

    def all_arrive() -> bool:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600)
        received.update(each["MessageId"] for each in answer.get("Messages", ()))
        return received.issuperset(messages)

    eventually(all_arrive)
    for key in set(keys):
        found = s3.get_object(Bucket="load", Key=key)
        assert found["Body"].read().endswith(f" of {key}".encode())
        assert found["Metadata"] == {"of": key}
    for arn in executions:
        sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    waiting = daily_pipeline.waits(restored, executions[0])  # its function runs, if it had not
    sagemaker.send_pipeline_execution_step_success(
        CallbackToken=daily_pipeline.token(restored, waiting),
        OutputParameters=[{"Name": "by", "Value": "eve"}],
    )
    assert restored.finished(waiting)["PipelineExecutionStatus"] == "Succeeded"
    answer = restored.client("lambda").invoke(FunctionName="sagemaker-load", Payload=b'{"name": "ada"}')
    assert json.loads(answer["Payload"].read()) == {"length": 3}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the commands are typed."""
    folder = tmp_path / "work"
    (folder / "backups").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("store", ["file", "postgres"])
def test_a_backup_under_load_is_restored_into_a_folder(
    store: str, place: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres").create("rehearsed") if store == "postgres" else ""
    server = Server(place / "node", store=url)
    with Load(server) as load:
        acknowledged = load.acknowledged()
        typed("With `passrole backup`", place, PASSROLE_STORE=url)
    server.stop()
    typed("Restore into a folder", place, PASSROLE_STORE=url)
    restored = Server(place / "restored", store="")
    try:
        assert_whole(restored, acknowledged)
    finally:
        restored.stop()
    assert "load" in typed("Rehearse it", place)


def test_a_backup_under_load_is_restored_into_another_database(place: Path, postgres: Cluster) -> None:
    old, new = postgres.create("rehearsed_from"), postgres.create("rehearsed_to")
    server = Server(place / "node", store=old)
    with Load(server) as load:
        acknowledged = load.acknowledged()
        typed("With `passrole backup`", place, PASSROLE_STORE=old)
    server.stop()
    typed("Restore into PostgreSQL", place, NEW_DATABASE=new)
    restored = Server(place / "restored", store=new)
    try:
        assert_whole(restored, acknowledged)
    finally:
        restored.stop()


def test_a_dump_under_load_is_restored_into_another_database(
    place: Path, postgres: Cluster, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other S3 is another server."""
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(program("pg_dump")).parent), os.environ["PATH"])))
    elsewhere = {
        "s3_endpoint": server.url,
        "s3_access_key_id": server.access["access_key_id"],
        "s3_secret_access_key": server.access["secret_access_key"],
    }
    old, new = postgres.create("dumped_from"), postgres.create("dumped_to")
    node = Server(place / "node", store=old, **elsewhere)
    with Load(node) as load:
        acknowledged = load.acknowledged()
        typed("With `pg_dump`", place, PASSROLE_STORE=old)
    node.stop()
    typed("Restore a dump", place, NEW_DATABASE=new)
    restored = Server(place / "restored", store=new, **elsewhere)
    try:
        assert_whole(restored, acknowledged)
    finally:
        restored.stop()
