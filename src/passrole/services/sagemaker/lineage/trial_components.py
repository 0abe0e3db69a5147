"""ListTrialComponents: SageMaker makes one of each job on AWS, and here none is made.

The SDK's LineageTableVisualizer asks for those of a job before it asks for associations.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrialComponents.html
"""

from typing import Any

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import operation
from passrole.services.sagemaker.paging import SortOrder


@operation("sagemaker:ListTrialComponents")
async def list_trial_components(
    _ctx: Context,
    *,
    experiment_name: str | None = None,
    trial_name: str | None = None,
    source_arn: str | None = None,  # noqa: ARG001 (no source has any)
    created_after: float | None = None,  # noqa: ARG001
    created_before: float | None = None,  # noqa: ARG001
    sort_by: str = "CreationTime",  # noqa: ARG001
    sort_order: SortOrder = "Descending",  # noqa: ARG001
    next_token: str | None = None,  # noqa: ARG001
    max_results: int = 10,  # noqa: ARG001
) -> dict[str, Any]:
    """There are none. Raises ResourceNotFound for an experiment or a trial, which do not exist either."""
    for word, name in (("Experiment", experiment_name), ("Trial", trial_name)):
        if name is not None:
            raise Fault("ResourceNotFound", f"{word} {name} does not exist.")
    return {"TrialComponentSummaries": []}
