"""A loop of version 3 of the SDK: a function for each item, the best one picked, and a function after it.

https://github.com/aws/sagemaker-python-sdk/pull/6074
"""

import os
import pathlib
import tempfile

from sagemaker.core.helper.session_helper import get_execution_role
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.for_each_step import (
    CurrentItem,
    ForEachSelector,
    ForEachStep,
    IterationOutput,
)
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.pipeline import Pipeline

session = PipelineSession()
role = get_execution_role(session)
folder = pathlib.Path(tempfile.mkdtemp())


def function(name: str, line: str) -> Lambda:
    """A function of this one line."""
    script = folder / f"{name}.py"
    script.write_text(f"def handler(event, context):\n    return {line}\n")
    return Lambda(
        function_name=f"sagemaker-sdk-loop-{name}",
        execution_role_arn=os.environ["FUNCTION_ROLE"],
        script=str(script),
        handler=f"{name}.handler",
        session=session,
    )


items = ParameterString(
    name="Items", default_value='["{\\"name\\": \\"a\\", \\"n\\": 3}", "{\\"name\\": \\"b\\", \\"n\\": 5}"]'
)
item = CurrentItem()
score = LambdaStep(
    name="Score",
    lambda_func=function("score", "{'score': event['n'] * 10}"),
    inputs={"n": item.n, "name": item["name"]},
    outputs=[LambdaOutput(output_name="score", output_type=LambdaOutputTypeEnum.Float)],
)
tell = LambdaStep(
    name="Tell",
    lambda_func=function("tell", "{'told': f\"{event['name']} {event['score']}\"}"),
    inputs={"name": item.name, "score": score.properties.Outputs["score"]},
    outputs=[LambdaOutput(output_name="told", output_type=LambdaOutputTypeEnum.String)],
)
each = ForEachStep(
    name="Each",
    iterable_items=items,
    max_concurrency=2,
    for_each_body=[score, tell],
    selector=ForEachSelector("MaxBy", IterationOutput(score).OutputParameters["score"]),
)
after = LambdaStep(
    name="After",
    lambda_func=function("after", "{'seen': f\"{event['best']} {event['first']} {event['count']}\"}"),
    inputs={
        "best": each.properties.Selected.OutputParameters["score"],
        "first": each.properties.IterationOutputs[0].Tell.OutputParameters["told"],
        "count": each.properties.SucceededStepCount,
    },
    outputs=[LambdaOutput(output_name="seen", output_type=LambdaOutputTypeEnum.String)],
)
pipeline = Pipeline(name="SdkLoop", parameters=[items], steps=[each, after], sagemaker_session=session)
pipeline.upsert(role_arn=role)
execution = pipeline.start()
execution.wait(delay=1)
steps = {step["StepName"]: step for step in execution.list_steps()}
outputs = {each["Name"]: each["Value"] for each in steps["After"]["Metadata"]["Lambda"]["OutputParameters"]}
assert outputs == {"seen": "50.0 a 30.0 4"}, outputs
assert steps["Tell-1"]["IterationContext"]["ParentStepName"] == "Each"
