"""The tags of what Pipelines creates: the step's own, and which step of which execution it is of.

https://github.com/getindata/kedro-sagemaker/issues/20
"""

from typing import Any

from passrole.engine.commands import CreateResource, SubmitJob
from passrole.history import Task
from passrole.needs.table import EXECUTION_TAG, STEP_TAG


def tags_of(task: Task, command: CreateResource | SubmitJob) -> list[Any]:
    """Tags for the request of the step's Create."""
    given = command.request.get("Tags")
    own = given if isinstance(given, list) else []
    return [
        *own,
        {"Key": EXECUTION_TAG, "Value": str(task.execution)},
        {"Key": STEP_TAG, "Value": command.step},
    ]
