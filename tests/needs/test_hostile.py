"""Whatever JSON stands where arguments should, there is an answer or a refusal, never a crash."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from passrole.arns import Account, Region
from passrole.definition import DefinitionError
from passrole.needs import Place, needs_of_role, read_definition
from passrole.needs.document import UnreadableDefinition
from passrole.needs.steps import KINDS

KEYS = st.sampled_from(
    [
        *("Get", "Std:Join", "On", "Values", "ClusterId", "ClusterConfig", "Tags", "Key", "ServiceRole"),
        *("JobFlowRole", "RoleArn", "TrainingJobDefinitions", "IfSteps", "ForEachBody", "Name", "Type"),
    ]
)
LEAVES = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "*", "Parameters.P", "EMR", "x:y"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
STEPS = st.fixed_dictionaries(
    {"Name": st.just("S"), "Type": st.sampled_from([*KINDS, "Lineage"])},
    optional={"Arguments": VALUES, "FunctionArn": VALUES, "SqsQueueUrl": VALUES},
)


@settings(max_examples=300)
@given(steps=st.lists(STEPS, max_size=3), parameters=VALUES)
def test_no_definition_crashes(steps: list[dict[str, Any]], parameters: Any) -> None:
    text = json.dumps({"Parameters": parameters, "Steps": steps})
    try:
        needs = needs_of_role(read_definition(text, {}), Place(Region("us-east-1"), Account("111122223333")))
    except (DefinitionError, UnreadableDefinition):
        return
    assert all(need.resource.startswith("arn:") for need in needs)
