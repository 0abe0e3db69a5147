"""Several servers on one PostgreSQL database: each answers, each works, and nothing is lost when one dies."""

import itertools
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.full_disk import full_disk
from tests.gateway.test_own_operations import asked
from tests.journeys.conftest import ADMINISTRATOR, outputs
from tests.postgres import Cluster
from tests.services.emr.conftest import Fleet, shell
from tests.services.sagemaker.hosting.conftest import Host

from passrole.runtimes.jobs import is_running
from passrole.store.share import NOBODY, SHARDS

MAY_ALL = [ADMINISTRATOR]
OVER = ("Succeeded", "Failed", "Stopped")
HAND_OVER_SECONDS = 90
"""A heartbeat of 6 s, and a busy machine."""

_numbers = itertools.count(1)


class Nodes:
    """Servers of one database, whose objects are those of another passrole."""

    def __init__(self, url: str, objects: Server, folder: Path) -> None:
        self.url = url
        self._objects, self._folder = objects, folder
        self.all: list[Server] = []

    def start(self) -> Server:
        keys = self._objects.access
        node = Server(
            self._folder / "nodes" / f"node{len(self.all) + 1}",
            store=self.url,
            s3_endpoint=self._objects.url,
            s3_access_key_id=keys["access_key_id"],
            s3_secret_access_key=keys["secret_access_key"],
        )
        self.all.append(node)
        return node

    def holds(self) -> dict[int, int]:
        """How many shards each server has."""
        import psycopg

        with psycopg.connect(self.url) as connection:
            rows = connection.execute("SELECT node, count(*) FROM leases GROUP BY node").fetchall()
        return {int(node): int(count) for node, count in rows}

    def resting(self) -> list[int]:
        """The numbers of those on whose disks nothing can be written."""
        import psycopg

        with psycopg.connect(self.url) as connection:
            return [number for (number,) in connection.execute("SELECT number FROM nodes WHERE rests = 1")]

    def are_at_rest(self) -> bool:
        """Whether each shard is somebody's, and none changes hands for five seconds."""
        import psycopg

        borrowed = "SELECT sum(fence), min(node) FROM leases"
        with psycopg.connect(self.url, autocommit=True) as connection:
            before = connection.execute(borrowed).fetchone()
            connection.execute("SELECT pg_sleep(5)")
            after = connection.execute(borrowed).fetchone()
        assert after is not None
        return before == after and after[1] != NOBODY

    def owner(self, job: str) -> tuple[Server, Server]:
        """The server of two that has claimed a job, and the other one."""
        import psycopg

        which = "SELECT name FROM nodes JOIN claims ON node = number WHERE key LIKE %s"
        with psycopg.connect(self.url) as connection:
            rows = connection.execute(which, (f"%{job}",)).fetchall()
        one, other = self.all
        return (one, other) if rows[0][0] == (one.data / "node").read_text().strip() else (other, one)

    def have_no_models(self) -> None:
        """Wait until none of an endpoint that is gone runs; programs outlive their servers."""
        for node in self.all:
            eventually(lambda node=node: not list(node.data.glob("jobs/endpoint/*/*/*")), seconds=90)  # type: ignore[misc]

    def shared_out(self, *counts: int) -> None:
        """Wait until the shards are shared out among so many."""
        eventually(lambda: sorted(self.holds().values()) == sorted(counts), seconds=HAND_OVER_SECONDS)


@pytest.fixture
def nodes(postgres: Cluster, tmp_path: Path) -> Iterator[Nodes]:
    (tmp_path / "objects").mkdir()
    (tmp_path / "nodes").mkdir()
    objects = Server(tmp_path / "objects" / "data", store="")
    made = Nodes(postgres.create(f"several_{next(_numbers)}"), objects, tmp_path)
    yield made
    for each in (*made.all, objects):
        if each.process.poll() is None:
            each.kill()


def started(node: Server, *steps: dict[str, Any]) -> str:
    """An execution (its ARN) of these steps, whose role may do everything."""
    sagemaker, name = node.client("sagemaker"), new_name("several")
    sagemaker.create_pipeline(
        PipelineName=name,
        RoleArn=node.role(MAY_ALL),
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": steps}),
    )
    arn: str = sagemaker.start_pipeline_execution(PipelineName=name)["PipelineExecutionArn"]
    return arn


def waiting(queue: str) -> dict[str, Any]:
    """A step that waits for an answer."""
    return {
        "Name": "Wait",
        "Type": "Callback",
        "SqsQueueUrl": queue,
        "Arguments": {"ask": "you"},
        "OutputParameters": outputs(answer="String"),
    }


def token(node: Server, queue: str) -> str:
    """The token of the next message."""
    got = node.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20)["Messages"]
    node.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=got[0]["ReceiptHandle"])
    found: str = json.loads(got[0]["Body"])["token"]
    return found


def answer(node: Server, given: str) -> None:
    node.client("sagemaker").send_pipeline_execution_step_success(
        CallbackToken=given, OutputParameters=[{"Name": "answer", "Value": "yes"}]
    )


def status(node: Server, execution: str) -> str:
    described = node.client("sagemaker").describe_pipeline_execution(PipelineExecutionArn=execution)
    found: str = described["PipelineExecutionStatus"]
    return found


def ended(node: Server, execution: str, seconds: float = 150) -> str:
    eventually(lambda: status(node, execution) in OVER, seconds=seconds)
    return status(node, execution)


def test_each_answers_for_all_and_shares_the_work(nodes: Nodes) -> None:
    first, second = nodes.start(), nodes.start()
    assert first.access == second.access
    nodes.shared_out(32, 32)
    queue = first.client("sqs").create_queue(QueueName="asked")["QueueUrl"]
    other = second.client("sqs").get_queue_url(QueueName="asked")["QueueUrl"]
    executions = [started(node, waiting(queue)) for node in (first, second) * 4]
    for _ in executions:
        answer(second, token(second, other))
    assert {ended(first, each) for each in executions} == {"Succeeded"}


def test_shards_come_to_rest_after_a_server_was_away(nodes: Nodes) -> None:
    """It is told that others have borrowed its own, and does not borrow them back again and again."""
    first, _ = nodes.start(), nodes.start()
    nodes.shared_out(32, 32)
    first.process.send_signal(signal.SIGSTOP)
    try:
        eventually(lambda: nodes.holds() == {2: SHARDS}, seconds=HAND_OVER_SECONDS)
    finally:
        first.process.send_signal(signal.SIGCONT)
    eventually(lambda: len(nodes.holds()) > 1, seconds=HAND_OVER_SECONDS)
    eventually(nodes.are_at_rest, seconds=HAND_OVER_SECONDS)
    assert sorted(nodes.holds().values()) == [SHARDS // 2, SHARDS // 2]


def test_others_do_the_work_of_a_server_whose_disk_is_full(nodes: Nodes) -> None:
    """Its steps do not fail, neither those in its hands nor others; it works again once there is room."""
    first, second = nodes.start(), nodes.start()
    nodes.shared_out(32, 32)
    queue = first.client("sqs").create_queue(QueueName="asked")["QueueUrl"]
    other = second.client("sqs").get_queue_url(QueueName="asked")["QueueUrl"]
    again = {**waiting(queue), "Name": "Again", "DependsOn": ["Wait"]}
    executions = [started(first, waiting(queue), again) for _ in range(4)]
    tokens = [token(second, other) for _ in executions]
    with full_disk(first):
        for each in tokens:
            answer(second, each)
        for _ in executions:
            answer(second, token(second, other))
        assert {ended(second, each) for each in executions} == {"Succeeded"}
        eventually(lambda: nodes.holds() == {2: SHARDS}, seconds=HAND_OVER_SECONDS)
    nodes.shared_out(32, 32)
    log = Path(first.log.name).read_text()
    assert "it works again" in log and "Traceback" not in log


def test_a_server_that_is_alone_keeps_its_work_though_its_disk_is_full(nodes: Nodes) -> None:
    first = nodes.start()
    nodes.shared_out(SHARDS)
    with full_disk(first):
        with pytest.raises(ClientError, match="InternalFailure"):
            first.client("sts").get_caller_identity()
        eventually(nodes.resting, seconds=HAND_OVER_SECONDS)
        assert nodes.holds() == {1: SHARDS}
    eventually(lambda: not nodes.resting(), seconds=HAND_OVER_SECONDS)


def test_what_a_killed_server_began_another_one_ends(nodes: Nodes) -> None:
    first, second = nodes.start(), nodes.start()
    nodes.shared_out(32, 32)
    queue = first.client("sqs").create_queue(QueueName="asked")["QueueUrl"]
    executions = [started(first, waiting(queue)) for _ in range(8)]
    first.kill()
    tokens = {
        token(second, second.client("sqs").get_queue_url(QueueName="asked")["QueueUrl"]) for _ in range(8)
    }
    assert len(tokens) == 8  # each was asked once
    for each in tokens:
        answer(second, each)
    assert {ended(second, each) for each in executions} == {"Succeeded"}
    nodes.shared_out(64)


def test_one_that_is_told_to_stop_hands_over_at_once(nodes: Nodes) -> None:
    first, second = nodes.start(), nodes.start()
    nodes.shared_out(32, 32)
    assert first.leave() == 0
    assert set(nodes.holds()) <= {-1, 2}
    nodes.shared_out(64)
    queue = second.client("sqs").create_queue(QueueName="asked")["QueueUrl"]
    execution = started(second, waiting(queue))
    answer(second, token(second, queue))
    assert ended(second, execution) == "Succeeded"


def test_a_server_that_comes_back_soon_goes_on_with_its_job(
    nodes: Nodes, sandboxed: None, tmp_path: Path
) -> None:
    first, _ = nodes.start(), nodes.start()
    gate = tmp_path / "gate"
    name = processing(first, f"echo begun >> {tmp_path}/runs; while ! [ -e {gate} ]; do sleep 0.1; done")
    eventually(lambda: (tmp_path / "runs").exists(), seconds=150)
    owner, other = nodes.owner(name)
    owner.kill()
    owner.start()
    gate.touch()
    assert job_ended(other, name)["ProcessingJobStatus"] == "Completed"
    assert (tmp_path / "runs").read_text() == "begun\n"


def test_a_job_whose_server_is_gone_fails_and_is_not_begun_again(
    nodes: Nodes, sandboxed: None, tmp_path: Path
) -> None:
    first, _ = nodes.start(), nodes.start()
    gate = tmp_path / "gate"
    name = processing(first, f"echo begun >> {tmp_path}/runs; while ! [ -e {gate} ]; do sleep 0.1; done")
    eventually(lambda: (tmp_path / "runs").exists(), seconds=150)
    owner, other = nodes.owner(name)
    (program,) = owner.data.glob("jobs/processing-job/*/*/*/*/run")
    owner.kill()
    described = job_ended(other, name, seconds=200)
    try:
        assert is_running(program)  # it outlives its server, and is ended by the next one in its folder
        owner.start()
        assert not is_running(program)
    finally:
        gate.touch()
    assert described["ProcessingJobStatus"] == "Failed"
    assert described["FailureReason"].startswith("InternalServerError")
    assert (tmp_path / "runs").read_text() == "begun\n"


def test_a_function_that_one_server_was_given_runs_on_the_others(nodes: Nodes) -> None:
    """Whichever server has the shard of an execution runs its function."""
    first, second = nodes.start(), nodes.start()
    nodes.shared_out(32, 32)
    source = "def handler(event, context): return {'answer': event['x'] + 1}"
    function = first.function(new_name("sagemaker-f"), source)
    step = {
        "Name": "Call",
        "Type": "Lambda",
        "FunctionArn": function,
        "Arguments": {"x": 1},
        "OutputParameters": outputs(answer="Integer"),
    }
    executions = [started(first, step) for _ in range(8)]
    assert {ended(second, each) for each in executions} == {"Succeeded"}


def test_an_endpoint_is_answered_by_each_server_and_outlives_one(nodes: Nodes, sandboxed: None) -> None:
    first, second = nodes.start(), nodes.start()
    host, other = Host(first), second.client("sagemaker-runtime")
    name = host.endpoint()
    host.in_service(name)

    def asked() -> object:
        answer = other.invoke_endpoint(EndpointName=name, Body=b"1,2", ContentType="text/csv")
        return json.loads(answer["Body"].read())

    assert asked() == host.ask(name) == [2.0, 4.0]
    first.kill()
    assert asked() == [2.0, 4.0]
    second.client("sagemaker").delete_endpoint(EndpointName=name)
    first.start()
    nodes.have_no_models()


def test_an_endpoint_that_is_made_again_is_not_answered_by_the_model_before(
    nodes: Nodes, sandboxed: None
) -> None:
    """By a server that was away when the first one was deleted, and whose models still run."""
    first, second = nodes.start(), nodes.start()
    host, other = Host(first), second.client("sagemaker-runtime")
    name = host.endpoint(host.config(host.variant(ModelName=host.model(2))))
    host.in_service(name)

    def asked() -> object:
        answer = other.invoke_endpoint(EndpointName=name, Body=b"1,2", ContentType="text/csv")
        return json.loads(answer["Body"].read())

    eventually(lambda: asked() == [2.0, 4.0])
    second.process.send_signal(signal.SIGSTOP)
    try:
        host.gone(name)
        again = host.config(host.variant(ModelName=host.model(3)))
        host.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=again)
        host.in_service(name)
    finally:
        second.process.send_signal(signal.SIGCONT)
    assert [asked(), host.ask(name)] == [[3.0, 6.0]] * 2
    host.gone(name)
    nodes.have_no_models()


def test_each_shows_what_an_emr_step_prints_and_printed(nodes: Nodes, tmp_path: Path) -> None:
    first, _ = nodes.start(), nodes.start()
    fleet, gate = Fleet(first), tmp_path / "gate"
    cluster = fleet.run()
    (step,) = fleet.add(
        cluster, shell(f"seq 9; while ! [ -e {gate} ]; do sleep 0.1; done; seq 200000; echo end")
    )
    log = {"ClusterId": cluster, "StepId": step, "Stream": "stdout"}

    def said(node: Server, offset: int = 0) -> dict[str, Any]:
        answer = asked(node, None, "ReadEmrStepLog", {**log, "Offset": offset})
        return cast("dict[str, Any]", json.loads(answer.body))

    begun = "".join(f"{number}\n" for number in range(1, 10))
    for node in nodes.all:
        eventually(lambda node=node: said(node)["Text"] == begun, seconds=150)  # type: ignore[misc]
    gate.touch()
    fleet.step_until(cluster, step)
    whole = begun + "".join(f"{number}\n" for number in range(1, 200_001)) + "end\n"
    tails = [said(node) for node in nodes.all]
    assert [whole[each["Start"] :] for each in tails] == [each["Text"] for each in tails]
    assert sorted(each["Start"] > 0 for each in tails) == [False, True]
    assert [said(node, -4)["Text"] for node in nodes.all] == ["end\n"] * 2
    owner, other = nodes.owner(cluster)
    assert (owner.data / "emr" / cluster / step).exists() and not (other.data / "emr").exists()
    owner.kill()
    assert said(other)["Text"].endswith("200000\nend\n")


def test_each_tells_how_far_the_data_of_a_job_have_come(
    nodes: Nodes, sandboxed: None, tmp_path: Path
) -> None:
    first, _ = nodes.start(), nodes.start()
    gate = tmp_path / "gate"
    name = processing(first, f"echo begun >> {tmp_path}/runs; while ! [ -e {gate} ]; do sleep 0.1; done")
    eventually(lambda: (tmp_path / "runs").exists(), seconds=150)
    owner, other = nodes.owner(name)
    arn = first.client("sagemaker").describe_processing_job(ProcessingJobName=name)["ProcessingJobArn"]
    under_way = {"Phase": "Uploading", "Bytes": 1, "ExpectedBytes": 200_000_000}
    (folder,) = owner.data.glob(f"jobs/processing-job/*/*/{name}")
    (folder / "transfer.json").write_text(json.dumps(under_way))

    def told(node: Server) -> Any:
        return json.loads(asked(node, None, "DescribeJobTransfer", {"JobArn": arn}).body)

    assert told(owner) == under_way
    eventually(lambda: told(other) == under_way, seconds=60)
    gate.touch()
    job_ended(other, name)
    assert [told(node) for node in nodes.all] == [{}, {}]


def processing(node: Server, script: str) -> str:
    """The name of a job that runs the script."""
    name = new_name("job")
    node.client("sagemaker").create_processing_job(
        ProcessingJobName=name,
        RoleArn=node.role(MAY_ALL),
        AppSpecification={
            "ImageUri": f"{node.account}.dkr.ecr.{node.region}.amazonaws.com/any:1",
            "ContainerEntrypoint": ["sh", "-c", script],
        },
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
    )
    return name


def job_ended(node: Server, name: str, seconds: float = 150) -> dict[str, Any]:
    sagemaker = node.client("sagemaker")

    def found() -> dict[str, Any]:
        described: dict[str, Any] = sagemaker.describe_processing_job(ProcessingJobName=name)
        return described

    eventually(lambda: found()["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped"), seconds=seconds)
    return found()
