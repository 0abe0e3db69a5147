"""Any document is a pipeline or has problems: nothing else leaves `parse`."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from passrole.definition import DefinitionError, Pipeline, parse
from passrole.definition.kinds import KINDS

OUTPUTS = {"Outputs": [{"OutputName": "o", "S3Output": {"S3Uri": "s3://b/o"}}]}
FILES = [{"PropertyFileName": "f", "OutputName": "o", "FilePath": "p"}]
REFERENCES = st.sampled_from(
    (
        *("Parameters.P", "Steps.A.PropertyFiles.f", "Steps.B.PropertyFiles.f", "Steps.C.Outcome"),
        *("Steps.A.ProcessingOutputConfig.Outputs", "Steps.A.ProcessingOutputConfig.Outputs['o'].S3Output"),
        *("Steps.A.ProcessingInputs['x']", "Steps.B.InputDataConfig['x'].y", "Steps.B.InputDataConfig[0]"),
    )
)
KEYS = st.sampled_from(
    (
        *("Get", "Std:Join", "On", "Values", "Std:JsonGet", "PropertyFile", "Path", "S3Uri"),
        *("Outputs", "OutputName", "InputName", "ChannelName", "PropertyFileName", "FilePath"),
        *("Enabled", "ExpireAfter", "ExceptionType", "MaxAttempts", "ExpireAfterMin", "IntervalSeconds"),
    )
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4)
    | REFERENCES.map(lambda text: {"Get": text})
    | REFERENCES.map(lambda text: {"Std:JsonGet": {"PropertyFile": {"Get": text}, "Path": "a"}})
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "ProcessingOutputConfig": st.just(OUTPUTS) | VALUES,
        "ProcessingInputs": VALUES,
        "InputDataConfig": VALUES,
        "Conditions": VALUES,
        "ClusterId": VALUES,
        "StepConfig": VALUES,
    },
)
STEPS = st.fixed_dictionaries(
    {
        "Name": st.sampled_from("ABC"),
        "Type": st.sampled_from(tuple(KINDS)),
        "Arguments": ARGUMENTS | VALUES,
    },
    optional={
        "PropertyFiles": st.just(FILES) | VALUES,
        "RetryPolicies": VALUES,
        "CacheConfig": VALUES,
        "DependsOn": VALUES,
        "FunctionArn": VALUES,
    },
)


@given(st.lists(STEPS, max_size=3))
def test_any_steps_are_a_pipeline_or_have_problems(steps: list[Any]) -> None:
    document = {"Version": "2020-12-01", "Steps": steps, "Parameters": [{"Name": "P", "Type": "String"}]}
    try:
        parsed: Pipeline | str = parse(json.dumps(document))
    except DefinitionError as error:
        parsed = error.message
    assert parsed
