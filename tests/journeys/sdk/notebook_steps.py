"""A notebook as a step: with parameters, an initialization script, a file beside it, and a step after it.

https://docs.aws.amazon.com/sagemaker/latest/dg/create-notebook-auto-run-sdk.html
"""

import json
import pathlib
import tempfile

from sagemaker_sdk import (
    ConditionEquals,
    ConditionStep,
    FailStep,
    NotebookJobStep,
    ParameterString,
    Pipeline,
    PipelineSession,
    get_execution_role,
)

folder = pathlib.Path(tempfile.mkdtemp())
cells = [
    ("upto = '1'", ["parameters"]),
    ("import os, squares\nprint(squares.of(int(upto)), os.environ['GREETING'], os.environ['OWN'])", []),
]
(folder / "squares.ipynb").write_text(
    json.dumps(
        {
            "cells": [
                {
                    "cell_type": "code",
                    "execution_count": None,
                    "id": f"c{number}",
                    "metadata": {"tags": tags},
                    "outputs": [],
                    "source": source,
                }
                for number, (source, tags) in enumerate(cells)
            ],
            "metadata": {},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
)
(folder / "squares.py").write_text("def of(upto):\n    return [n * n for n in range(upto)]\n")
(folder / "init.sh").write_text("export GREETING=hello\n")

session = PipelineSession()
role = get_execution_role(session)
upto = ParameterString(name="UpTo", default_value="4")
notebook = NotebookJobStep(
    name="Squares",
    notebook_job_name="squares-result",
    input_notebook=str(folder / "squares.ipynb"),
    image_uri=f"123456789012.dkr.ecr.{session.boto_region_name}.amazonaws.com/notebooks:1",
    kernel_name="python3",
    role=role,
    parameters={"upto": upto},
    environment_variables={"OWN": "mine"},
    initialization_script=str(folder / "init.sh"),
    additional_dependencies=[str(folder / "squares.py")],
)
ended = ConditionStep(
    name="Ended",
    conditions=[
        ConditionEquals(left=notebook.properties.ComputingJobStatus, right="Completed"),
        ConditionEquals(left=notebook.properties.OutputNotebookName, right="squares-result.ipynb"),
    ],
    else_steps=[FailStep(name="Other", error_message="not as the properties say")],
)
pipeline = Pipeline(name="SdkNotebook", parameters=[upto], steps=[notebook, ended], sagemaker_session=session)
pipeline.upsert(role)
execution = pipeline.start()
execution.wait(delay=1, max_attempts=200)
assert {each["StepName"]: each["StepStatus"] for each in execution.list_steps()} == {
    "Squares": "Succeeded",
    "Ended": "Succeeded",
}
