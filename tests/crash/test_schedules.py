"""A server that is killed loses no time of a schedule, and runs none twice."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.policies import allowing
from tests.services.scheduler.conftest import Workshop

NOTHING = {
    "Version": "2020-12-01",
    "Steps": [
        {
            "Name": "C",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [{"Type": "Equals", "LeftValue": 1, "RightValue": 1}],
                "IfSteps": [],
                "ElseSteps": [],
            },
        }
    ],
}


@pytest.mark.slow
def test_a_pipeline_that_is_due_while_the_server_is_dead_starts_once(
    start_server: Callable[..., Server],
) -> None:
    server = start_server()
    workshop, name = Workshop(server), new_name("scheduled")
    pipeline = server.client("sagemaker").create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps(NOTHING),
        RoleArn=server.role(),
        ClientRequestToken="t" * 32,
    )["PipelineArn"]
    role = workshop.role_that(allowing("sagemaker:StartPipelineExecution"))
    target = {"RoleArn": role, "SageMakerPipelineParameters": {}}
    at = datetime.now(UTC) + timedelta(seconds=2)
    once = {"ScheduleExpression": at.strftime("at(%Y-%m-%dT%H:%M:%S)"), "ActionAfterCompletion": "DELETE"}
    workshop.schedule(pipeline, **once, Target=target)
    workshop.schedule(pipeline, ScheduleExpression="rate(1 day)", Target=target)  # has begun
    server.kill()
    eventually(lambda: datetime.now(UTC) > at)
    for _ in range(2):
        server.start()
        _is_settled(server)
        server.kill()
    server.start()
    _is_settled(server)
    sagemaker = server.client("sagemaker")

    def started() -> int:
        listed = sagemaker.list_pipeline_executions(PipelineName=name)
        return len(listed["PipelineExecutionSummaries"])

    eventually(lambda: started() >= 2)
    assert started() == 2


def _is_settled(server: Server) -> None:
    """The one-time schedule is gone once its target was invoked."""
    scheduler = server.client("scheduler")
    eventually(lambda: [each["State"] for each in scheduler.list_schedules()["Schedules"]] == ["ENABLED"])
