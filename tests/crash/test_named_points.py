"""kill -9 before and after each durable write of each background driver: no promise is broken.

Nothing acknowledged is lost, a finished step is not run again, an EMR step begins once, tokens stay valid.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.crash.mortal import Mortal
from tests.services.emr.conftest import Fleet

LOGGED = "logs.put_log_events.put_log_events"


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    server = Mortal(tmp_path_factory.mktemp("mortal") / "data")
    yield server
    if not server.is_dead():
        server.stop()


NOTE = """
    import os

    def handler(event, context):
        for record in event.get("Records", [{"body": event.get("line")}]):
            file = os.open(%r, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.write(file, (record["body"] + chr(10)).encode())
            os.close(file)
        print("noted")
        return {"n": 1}
"""


class Work:
    """One of everything that is done in the background, again and again on one server."""

    def __init__(self, server: Mortal) -> None:
        self.server = server
        self.notes = server.data.with_name("notes")
        self.number = 0
        queue = server.client("sqs").create_queue
        self.callbacks = queue(QueueName="sagemaker-callbacks")["QueueUrl"]
        self.mapped = queue(QueueName="sagemaker-mapped")["QueueUrl"]
        self.heard = queue(QueueName="sagemaker-heard")["QueueUrl"]
        self.function = server.function("sagemaker-note", NOTE % str(self.notes), self._role())
        self._map()
        self._listen()
        self.cluster = Fleet(server).run()
        server.client("sagemaker").create_pipeline(
            PipelineName="crash",
            RoleArn=server.access["role_arn"],
            PipelineDefinition=json.dumps(self._definition()),
        )

    def begin(self) -> str:
        """A line that everything writes which is to be done; acknowledged when it returns."""
        self.number += 1
        line = f"work-{self.number}"
        done: set[str] = set()
        self.server.until(lambda: self._began(line, done))
        return line

    def finished(self, line: str) -> tuple[str, set[str]]:
        """Once all of it is done: the execution's status, and the tokens of its callback."""
        tokens: set[str] = set()
        execution = self.server.until(lambda: self._execution(line))
        status = self.server.until(lambda: self._status(execution, tokens))
        self.server.until(lambda: not {f"{line}-queued", f"{line}-mapped"} - set(self.lines()))
        self.server.until(lambda: self._is_heard(execution))
        self.server.until(lambda: self._is_empty(self.mapped))
        self.server.until(self._is_logged)
        return status, tokens

    def lines(self) -> list[str]:
        return self.notes.read_text().split() if self.notes.exists() else []

    def steps(self, line: str) -> list[dict[str, Any]]:
        """Of the execution."""
        execution = self._execution(line)
        listed = self.server.client("sagemaker").list_pipeline_execution_steps(PipelineExecutionArn=execution)
        return list(listed["PipelineExecutionSteps"])

    def _began(self, line: str, done: set[str]) -> bool:
        """What was not acknowledged is asked for again, as clients do."""
        steps: dict[str, Callable[[], Any]] = {
            "execution": lambda: self.server.client("sagemaker").start_pipeline_execution(
                PipelineName="crash",
                PipelineExecutionDisplayName=line,
                ClientRequestToken=f"{line:-<32}",
                PipelineParameters=[{"Name": "Line", "Value": line}],
            ),
            "queued": lambda: self.server.client("lambda").invoke(
                FunctionName=self.function,
                InvocationType="Event",
                Payload=json.dumps({"line": f"{line}-queued"}),
            ),
            "mapped": lambda: self.server.client("sqs").send_message(
                QueueUrl=self.mapped, MessageBody=f"{line}-mapped"
            ),
        }
        for name, call in steps.items():
            if name not in done:
                call()
                done.add(name)
        return True

    def _execution(self, line: str) -> str | None:
        listed = self.server.client("sagemaker").list_pipeline_executions(PipelineName="crash")
        found = [
            each["PipelineExecutionArn"]
            for each in listed["PipelineExecutionSummaries"]
            if each["PipelineExecutionDisplayName"] == line
        ]
        return found[0] if found else None

    def _status(self, execution: str, tokens: set[str]) -> str | None:
        """Answers its callback meanwhile."""
        sqs, sagemaker = self.server.client("sqs"), self.server.client("sagemaker")
        for message in sqs.receive_message(QueueUrl=self.callbacks, VisibilityTimeout=1).get("Messages", ()):
            body = json.loads(message["Body"])
            if body["pipelineExecutionArn"] == execution:
                tokens.add(body["token"])
                with suppress(ClientError):  # it was answered, and the answer was lost
                    sagemaker.send_pipeline_execution_step_success(CallbackToken=body["token"])
            sqs.delete_message(QueueUrl=self.callbacks, ReceiptHandle=message["ReceiptHandle"])
        status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        return str(status["PipelineExecutionStatus"]).replace("Executing", "") or None

    def _is_heard(self, execution: str) -> bool:
        sqs = self.server.client("sqs")
        found = sqs.receive_message(QueueUrl=self.heard, MaxNumberOfMessages=10, VisibilityTimeout=1)
        bodies = [json.loads(message["Body"]) for message in found.get("Messages", ())]
        return any(execution in body["resources"] for body in bodies)

    def _is_logged(self) -> bool:
        """Logs follow half a second after an invocation; those of the last moment before a kill are lost."""
        has_died = self.server.program == Mortal.program
        return has_died or any(LOGGED in commit for commit in self.server.commits())

    def _is_empty(self, url: str) -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.server.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return set(told["Attributes"].values()) == {"0"}

    def _role(self) -> str:
        logs = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
        anything = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
        return self.server.role(
            [logs, {"Version": "2012-10-17", "Statement": anything}], trust="lambda.amazonaws.com"
        )

    def _map(self) -> None:
        sqs = self.server.client("sqs")
        sqs.set_queue_attributes(QueueUrl=self.mapped, Attributes={"VisibilityTimeout": "3"})
        arn = sqs.get_queue_attributes(QueueUrl=self.mapped, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        self.server.client("lambda").create_event_source_mapping(
            EventSourceArn=arn, FunctionName=self.function
        )

    def _listen(self) -> None:
        sqs, events = self.server.client("sqs"), self.server.client("events")
        arn = sqs.get_queue_attributes(QueueUrl=self.heard, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": allow})
        sqs.set_queue_attributes(QueueUrl=self.heard, Attributes={"Policy": policy})
        pattern = {
            "source": ["aws.sagemaker"],
            "detail": {"currentPipelineExecutionStatus": ["Succeeded", "Failed"]},
        }
        events.put_rule(Name="heard", EventPattern=json.dumps(pattern))
        events.put_targets(Rule="heard", Targets=[{"Id": "1", "Arn": arn}])

    def _definition(self) -> dict[str, Any]:
        line = {"Get": "Parameters.Line"}
        note = {"Std:Join": {"On": "", "Values": ["echo ", line, "-emr >> ", str(self.notes)]}}
        arguments = {"line": {"Std:Join": {"On": "", "Values": [line, "-lambda"]}}}
        submitted = {"HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["bash", "-c", note]}}
        return {
            "Version": "2020-12-01",
            "Parameters": [{"Name": "Line", "Type": "String"}],
            "Steps": [
                {"Name": "L", "Type": "Lambda", "FunctionArn": self.function, "Arguments": arguments},
                {
                    "Name": "C",
                    "Type": "Callback",
                    "SqsQueueUrl": self.callbacks,
                    "Arguments": {},
                    "DependsOn": ["L"],
                },
                {
                    "Name": "E",
                    "Type": "EMR",
                    "Arguments": {"ClusterId": self.cluster, "StepConfig": submitted},
                    "DependsOn": ["C"],
                },
            ],
        }


@pytest.fixture(scope="module")
def work(mortal: Mortal) -> Work:
    return Work(mortal)


# Driver's transaction and which one of its kind; those of other services are the calls that drivers make.
POINTS = [
    ("worker.loop.Worker._advance", 1),
    ("worker.loop.Worker._advance", 2),
    ("worker.loop.Worker._advance", 3),
    ("worker.job_monitor.JobMonitor._record", 1),
    ("emr.add_job_flow_steps.add_job_flow_steps", 1),
    ("worker.emr_clusters.ClusterController._settled", 1),
    ("worker.emr_clusters.ClusterController._settled", 2),
    ("worker.emr_clusters.ClusterController._settled", 3),
    ("worker.emr_clusters.ClusterController._carry_out", 1),
    ("worker.schedules._plan_all", 1),
    ("tasks.event", 1),
    ("tasks.event", 4),
    ("tasks.event-delivery", 1),
    ("tasks.event-delivery", 3),
    ("worker.queue_pollers._Poller._store_result", 1),
    ("tasks.async-invocation", 1),
    (LOGGED, 1),
    ("sqs.kms_keys._sent", 2),
    ("sqs.kms_keys._sent", 3),
    ("sqs.receive_message._receive", 1),
    ("sqs.delete_message.delete_message_batch", 1),
]
CALLERS_OWN = {
    "app._onboard",
    "lambda_.invoke.invoke",
    "sagemaker.callbacks._answer",
    "sagemaker.start_pipeline_execution.start_pipeline_execution",
    "sqs.retention.correct_future_times",
    "sqs.delete_message.delete_message",
}
ONCE = {"events.rules.put_rule", "events.targets.put_targets"}  # of the rule that all EMR steps share
SETTING_UP = {"logs.groups.create_log_group", "logs.streams.create_log_stream"}
FOR_OTHERS = {"worker.shared_output._put", "worker.shared_output._forget"}  # nothing depends on it
RECORDED = "worker.loop.Worker._advance"


@pytest.mark.slow
def test_every_write_in_the_background_is_a_point(work: Work) -> None:
    work.server.dies_at()
    work.finished(work.begin())
    wrote = {name for commit in work.server.commits() for name in commit}
    assert wrote - CALLERS_OWN - ONCE - SETTING_UP - FOR_OTHERS == {name for name, _ in POINTS}


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name, count", POINTS)
def test_a_kill_at_the_point_breaks_no_promise(work: Work, name: str, count: int, moment: str) -> None:
    work.server.dies_at(name, moment, count)
    line = work.begin()
    status, tokens = work.finished(line)
    died = work.server.has_died()
    assert status == "Succeeded" and len(tokens) == 1
    ran = work.lines()
    assert ran.count(f"{line}-emr") == 1, "an EMR step begins once"
    assert ran.count(f"{line}-queued") >= 1 and ran.count(f"{line}-mapped") >= 1
    commits = work.server.commits()
    made = commits[:-1] if died and moment == "before" else commits
    if any(RECORDED in commit for commit in made):  # the first one is the function's
        assert ran.count(f"{line}-lambda") == 1, "a finished step is not run again"
    assert ran.count(f"{line}-lambda") in (1, 2)
    steps = work.server.until(lambda: work.steps(line))
    assert {each["StepStatus"] for each in steps} == {"Succeeded"} and len(steps) == 3
    assert died, f"{name} was committed fewer than {count} times"
