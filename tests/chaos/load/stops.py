"""Executions that are stopped while their functions run; some of these have no worker yet, and never have."""

import itertools
import json
import time

from botocore.exceptions import ClientError
from tests.chaos.caller import Caller, code
from tests.chaos.load.crew import Crew
from tests.chaos.load.executions import started, under_way
from tests.chaos.load.pipelines import Pipelines

PIPELINE = "chaos-stops"
SLOW, NEXT = tuple(f"Slow{number}" for number in range(5)), "Next"
AT_ONCE = 2
_SLOW_SECONDS = 1.5
_PAUSES = (0.0, 0.5, 1.0, 1.6, 2.5)


class Stops:
    """The pipeline, and its executions; whoever watches all executions watches these."""

    def __init__(self, caller: Caller, pipelines: Pipelines) -> None:
        self._caller, self._told = caller, caller.told
        self._numbers = itertools.count()
        slow = [pipelines.function_step(name, seconds=_SLOW_SECONDS) for name in SLOW]
        after = pipelines.function_step(NEXT, f"Steps.{SLOW[0]}.OutputParameters['n']")
        caller.until_told(
            "sagemaker.create_pipeline",
            PipelineName=PIPELINE,
            RoleArn=pipelines.role,
            ClientRequestToken="s" * 32,
            PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [*slow, after]}),
        )

    def join(self, crew: Crew) -> None:
        for pause in _PAUSES:
            crew.produces(lambda pause=pause: self._start_and_stop(pause), 2.0)  # type: ignore[misc]

    def _start_and_stop(self, pause_seconds: float) -> None:
        """One more, while few enough run; it is stopped so long after its start was acknowledged."""
        if under_way(self._told, PIPELINE) >= AT_ONCE:
            return
        token = f"stop{next(self._numbers):028}"
        arn = started(self._caller, PIPELINE, token)
        time.sleep(pause_seconds)
        try:
            self._caller.until_told(
                "sagemaker.stop_pipeline_execution", PipelineExecutionArn=arn, ClientRequestToken=token
            )
        except ClientError as error:  # it had succeeded before
            self._told.failure(f"a stop: {code(error)}")
