"""How many executions run at once, where a setting limits it."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.refusals import refusal
from tests.services.sagemaker.conftest import callback

LIMIT = "ResourceLimitExceeded"


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which two executions run at once."""
    running = Server(tmp_path_factory.mktemp("limited") / "data", executions_max="2")
    yield running
    running.stop()


@pytest.fixture
def pipeline(limited: Server) -> Iterator[str]:
    """The name of a pipeline whose executions wait for an answer; none runs when the test begins or ends."""
    name, sagemaker = new_name("sagemaker-waits"), limited.client("sagemaker")
    url = limited.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    text = json.dumps({"Version": "2020-12-01", "Steps": [callback(url)]})
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=limited.access["role_arn"])
    yield name
    for arn in executing(limited, name):
        stop(limited, arn)


def executing(server: Server, name: str) -> list[str]:
    listed = server.client("sagemaker").list_pipeline_executions(PipelineName=name)
    return [
        each["PipelineExecutionArn"]
        for each in listed["PipelineExecutionSummaries"]
        if each["PipelineExecutionStatus"] == "Executing"
    ]


def stop(server: Server, arn: str) -> None:
    """Stop an execution, answer its callback, and wait for its end."""
    sagemaker = server.client("sagemaker")
    token = eventually(lambda: server.steps(arn)["C"]["Metadata"]["Callback"].get("CallbackToken"))
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    sagemaker.send_pipeline_execution_step_failure(CallbackToken=token, FailureReason="over")
    describe = sagemaker.describe_pipeline_execution
    eventually(lambda: describe(PipelineExecutionArn=arn)["PipelineExecutionStatus"] == "Stopped")


def start(server: Server, name: str, **options: Any) -> str:
    answer = server.client("sagemaker", **options).start_pipeline_execution(PipelineName=name)
    arn: str = answer["PipelineExecutionArn"]
    return arn


def test_one_more_than_the_limit_is_refused_until_another_ends(limited: Server, pipeline: str) -> None:
    first = start(limited, pipeline)
    start(limited, pipeline)
    code, message = refusal(limited.client("sagemaker").start_pipeline_execution, PipelineName=pipeline)
    assert code == LIMIT
    assert message.startswith(
        "The account-level service limit "
        "'Maximum number of concurrent pipeline executions allowed per account'"
        " is 2 Executions, with current utilization of 2 Executions and a request delta of 1 Executions."
    )
    stop(limited, first)
    start(limited, pipeline)


def test_another_region_has_its_own_limit(limited: Server, pipeline: str) -> None:
    for _ in range(2):
        start(limited, pipeline)
    sagemaker = limited.client("sagemaker", region="eu-west-1")
    text = json.dumps({"Version": "2020-12-01", "Steps": [{"Name": "F", "Type": "Fail"}]})
    sagemaker.create_pipeline(
        PipelineName=pipeline, PipelineDefinition=text, RoleArn=limited.access["role_arn"]
    )
    start(limited, pipeline, region="eu-west-1")


def test_a_retry_is_one_more(limited: Server, pipeline: str) -> None:
    first = start(limited, pipeline)
    stop(limited, first)
    start(limited, pipeline)
    other = start(limited, pipeline)
    retry = limited.client("sagemaker").retry_pipeline_execution
    assert refusal(retry, PipelineExecutionArn=first)[0] == LIMIT
    assert refusal(retry, PipelineExecutionArn=other)[0] == "ConflictException"  # it runs
    stop(limited, other)
    retry(PipelineExecutionArn=first)


def test_starts_at_the_same_time_do_not_exceed_it_together(limited: Server, pipeline: str) -> None:
    def begin(_: int) -> bool:
        try:
            start(limited, pipeline)
        except limited.client("sagemaker").exceptions.ResourceLimitExceeded:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        begun = list(pool.map(begin, range(12)))
    assert begun.count(True) == 2
    assert len(executing(limited, pipeline)) == 2
