"""Triggers of a pipeline: put, put again, described, run, deleted.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipeline-eventbridge.html
"""

import datetime
import os
import time

from botocore.exceptions import ClientError
from sagemaker_sdk import (
    ConditionEquals,
    ConditionStep,
    ParameterString,
    Pipeline,
    PipelineSchedule,
    PipelineSession,
    get_execution_role,
)

NAME = "SdkScheduled"
session = PipelineSession()
word = ParameterString(name="Word", default_value="x")
holds = ConditionEquals(left=word, right="x")
step = ConditionStep(name="Holds", conditions=[holds], if_steps=[], else_steps=[])
pipeline = Pipeline(name=NAME, parameters=[word], steps=[step], sagemaker_session=session)
pipeline.upsert(role_arn=get_execution_role(session))
scheduler_role = os.environ["SCHEDULE_ROLE"]


def put(**when):
    """The ARN of the one trigger."""
    (arn,) = pipeline.put_triggers(triggers=[PipelineSchedule(**when)], role_arn=scheduler_role)
    return arn


def started(count):
    """Wait until the pipeline was started so often; each execution is awaited."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        listed = session.sagemaker_client.list_pipeline_executions(PipelineName=NAME)
        statuses = [each["PipelineExecutionStatus"] for each in listed["PipelineExecutionSummaries"]]
        if statuses == ["Succeeded"] * count:
            return
        time.sleep(0.1)
    raise SystemExit(f"started {count} times? {statuses}")


daily = put(cron="0 0 1 1 ? 2199")
assert daily.endswith(f":schedule/default/{NAME}"), daily
described = pipeline.describe_trigger(trigger_name=NAME)
assert described["Schedule_Expression"] == "cron(0 0 1 1 ? 2199)", described
assert described["Schedule_State"] == "ENABLED" and described["Schedule_Role"] == scheduler_role, described
assert described["Schedule_Start_Date"].startswith(str(datetime.datetime.now(datetime.UTC).year)), described

assert put(rate=(1, "hour")) == daily  # the same schedule, changed; it begins now
started(1)
put(at=datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1), name="once")
started(2)
put(rate=(1, "hour"), enabled=False)
assert pipeline.describe_trigger(trigger_name=NAME)["Schedule_State"] == "DISABLED"

try:
    put(rate=(1, "fortnight"))
except ClientError as error:
    assert error.response["Error"]["Code"] == "ValidationException", error
else:
    raise SystemExit("a schedule of fortnights should be refused")

pipeline.delete_triggers(trigger_names=[NAME, "once", "never-was"])
try:
    pipeline.describe_trigger(trigger_name=NAME)
except ClientError as error:
    assert error.response["Error"]["Code"] == "ResourceNotFoundException", error
else:
    raise SystemExit("the trigger should be gone")
