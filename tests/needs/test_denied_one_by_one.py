"""Every action that a type of step asks for has a test that denies it alone, in a run.

The lists are those by which the journeys' tests are parametrized; an action that is new in the needs is
missing here until such a test has it.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.journeys import (
    test_check_steps,
    test_emr_denials,
    test_emr_serverless,
    test_endpoint_steps,
    test_job_denials,
    test_lineage_steps,
    test_model_steps,
    test_stop_denials,
    test_transform_steps,
    test_tuning_steps,
)

from passrole.definition.kinds import KINDS
from passrole.needs import Place, needs_of_role, read_definition
from passrole.needs.table import TABLE

DEFINITIONS = sorted((Path(__file__).parent / "definitions").glob("*.json"))
STOPS = [f"sagemaker:Stop{kind}" for kind in test_stop_denials.KINDS]
CHECKS = [*test_check_steps.NEEDED, *STOPS]
DENIED: Mapping[str, list[str]] = {
    # test_denials.py has those of functions and queues, test_emr_denials.py the two of stops
    "Lambda": ["lambda:GetFunction", "lambda:InvokeFunction"],
    "Callback": ["sqs:SendMessage"],
    "EMR": [
        *test_emr_denials.TO_BEGIN_ON_A_CLUSTER,
        *test_emr_denials.TO_BEGIN_WITH_ITS_OWN,
        "elasticmapreduce:AddTags",
        "elasticmapreduce:CancelSteps",
        "elasticmapreduce:TerminateJobFlows",
    ],
    "EMRServerless": [
        *test_emr_serverless.MAKING,
        *test_emr_serverless.REMOVING,
        "emr-serverless:CancelJobRun",
        "emr-serverless:TagResource",
    ],
    "Training": [*test_job_denials.TRAINING, *STOPS],
    "Processing": [*test_job_denials.PROCESSING, *STOPS],
    "ClarifyCheck": CHECKS,
    "QualityCheck": CHECKS,
    "Transform": [*test_transform_steps.NEEDED, *STOPS],
    "Tuning": [*test_tuning_steps.WITHOUT_STOP, *STOPS],
    "Model": [*test_model_steps.MODEL],
    "RegisterModel": [*test_model_steps.REGISTER],
    "EndpointConfig": [*test_endpoint_steps.CONFIG, "iam:PassRole"],
    "Endpoint": [*test_endpoint_steps.ENDPOINT, "sagemaker:UpdateEndpoint"],
    "Lineage": [f"sagemaker:{operation}" for operation in test_lineage_steps.RECORDING],
    "Condition": [],
    "Fail": [],
    "ForEach": [],
}


def asked(type_: str) -> set[str]:
    """The actions of the type's row, and of its steps in the definitions."""
    row = TABLE[type_]
    found = {ask.action for ask in row.asks} | ({"iam:PassRole"} if row.passes else set())
    for path in DEFINITIONS:
        definition = read_definition(path.read_text(), {})
        of_type = {step.name for step in definition.steps if step.type == type_}
        needs = needs_of_role(definition, Place("us-east-1", "111122223333"))
        found |= {need.action for need in needs if need.step in of_type}
    return {action for action in found if not action.startswith("s3:")}


def test_every_type_that_runs_is_listed() -> None:
    assert sorted(DENIED) == sorted(KINDS)


@pytest.mark.parametrize("type_", sorted(DENIED))
def test_each_action_is_denied_by_a_test(type_: str) -> None:
    assert sorted(asked(type_) - {*DENIED[type_]}) == []
