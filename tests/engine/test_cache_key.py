"""What makes two steps the same, by AWS's tables."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.engine.cache_key import COMPARED, compared, differences, digest

PROCESSING: dict[str, Any] = {
    "AppSpecification": {"ImageUri": "i", "ContainerArguments": ["--x", "1"]},
    "Environment": {},
    "ProcessingInputs": [{"InputName": "a", "S3Input": {"S3Uri": "s3://b/a"}}],
    "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1}},
    "ProcessingOutputConfig": {"Outputs": [{"OutputName": "o", "S3Output": {"S3Uri": "s3://b/o"}}]},
    "RoleArn": "arn:aws:iam::111122223333:role/R",
}
TRAINING: dict[str, Any] = {
    "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
    "HyperParameters": {"epochs": "10"},
    "InputDataConfig": [{"ChannelName": "train"}],
    "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
    "ResourceConfig": {"InstanceType": "ml.m5.large"},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


@pytest.mark.parametrize(
    ("step_type", "arguments", "change"),
    [
        (
            "Processing",
            PROCESSING,
            {"ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.c5.large"}}},
        ),
        ("Processing", PROCESSING, {"ProcessingOutputConfig": {"Outputs": []}}),
        ("Processing", PROCESSING, {"RoleArn": "arn:aws:iam::111122223333:role/Other"}),
        ("Processing", PROCESSING, {"StoppingCondition": {"MaxRuntimeInSeconds": 1}, "Tags": [{"Key": "a"}]}),
        ("Processing", PROCESSING, {"NetworkConfig": {"EnableNetworkIsolation": True}}),
        ("Processing", PROCESSING, {"Environment": None, "ProcessingJobName": "p"}),
        ("Training", TRAINING, {"OutputDataConfig": {"S3OutputPath": "s3://b/elsewhere"}}),
        (
            "Training",
            TRAINING,
            {"ResourceConfig": {}, "StoppingCondition": {}, "EnableManagedSpotTraining": True},
        ),
        ("EMR", {"ClusterId": "j-1", "StepConfig": {}}, {"StepConfig": None, "Name": "n"}),
    ],
)
def test_what_aws_does_not_compare_still_hits(
    step_type: str, arguments: dict[str, Any], change: dict[str, Any]
) -> None:
    assert digest(step_type, arguments) == digest(step_type, {**arguments, **change})


@pytest.mark.parametrize(
    ("step_type", "arguments", "change", "path"),
    [
        (
            "Processing",
            PROCESSING,
            {"AppSpecification": {"ImageUri": "j"}},
            "AppSpecification.ContainerArguments",
        ),
        ("Processing", PROCESSING, {"Environment": {"A": "1"}}, "Environment"),
        ("Training", TRAINING, {"HyperParameters": {"epochs": "11"}}, "HyperParameters.epochs"),
        ("Training", TRAINING, {"HyperParameters": {"epochs": 10}}, "HyperParameters.epochs"),
        (
            "Training",
            TRAINING,
            {"InputDataConfig": [{"ChannelName": "test"}]},
            "InputDataConfig[0].ChannelName",
        ),
        ("EMR", {"ClusterId": "j-1"}, {"ClusterId": "j-2"}, "ClusterId"),
    ],
)
def test_what_aws_compares_misses_and_the_difference_is_named(
    step_type: str, arguments: dict[str, Any], change: dict[str, Any], path: str
) -> None:
    changed = {**arguments, **change}
    assert digest(step_type, arguments) != digest(step_type, changed)
    found = differences(compared(step_type, arguments), compared(step_type, changed))
    assert path in {each.path for each in found}


@pytest.mark.parametrize("step_type", ["Lambda", "Callback", "Model", "RegisterModel", "Condition", "Fail"])
def test_types_without_keys_never_hit(step_type: str) -> None:
    assert digest(step_type, {}) is None


def test_the_same_arguments_of_another_type_are_another_step() -> None:
    assert len({digest(step_type, {}) for step_type in COMPARED}) == len(COMPARED)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(COMPARED["Training"]), _JSON), st.randoms())
def test_the_order_of_members_does_not_count(arguments: dict[str, Any], random: Any) -> None:
    names = list(arguments)
    random.shuffle(names)
    assert digest("Training", {name: arguments[name] for name in names}) == digest("Training", arguments)


@given(_JSON, _JSON)
def test_two_values_differ_somewhere_or_nowhere(one: Any, other: Any) -> None:
    same = digest("Training", {"HyperParameters": one}) == digest("Training", {"HyperParameters": other})
    mine, theirs = (compared("Training", {"HyperParameters": each}) for each in (one, other))
    assert same == (not list(differences(mine, theirs)))
