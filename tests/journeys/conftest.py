"""Definitions as plain JSON, as the SageMaker API takes them."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

Step = dict[str, Any]


def get(path: str) -> dict[str, str]:
    return {"Get": path}


def outputs(**types: str) -> list[dict[str, str]]:
    return [{"OutputName": name, "OutputType": type_} for name, type_ in types.items()]


@pytest.fixture
def start(server: Any) -> Callable[..., str]:
    """Create a pipeline of these steps with the onboarding role (or another), start it, give the ARN."""

    def run(
        steps: list[Step], *, role: str | None = None, parameters: Any = (), given: Any = (), name: str = ""
    ) -> str:
        sagemaker, name = server.client("sagemaker"), name or f"p-{uuid.uuid4().hex[:8]}"
        definition = {"Version": "2020-12-01", "Parameters": list(parameters), "Steps": steps}
        sagemaker.create_pipeline(
            PipelineName=name,
            RoleArn=role or server.access["role_arn"],
            PipelineDefinition=json.dumps(definition),
        )
        started = sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=list(given))
        arn: str = started["PipelineExecutionArn"]
        return arn

    return run
