"""What filters say of a described training job: a line for each, and whether it satisfies them."""

from typing import Any

import pytest
from botocore.model import Shape

from passrole.faults import Fault
from passrole.services.sagemaker.searching.expressions import condition_of
from passrole.wire.descriptions import service_model

CHANNELS = [
    {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://cats/train"}}},
    {"ChannelName": "test", "DataSource": {"S3DataSource": {"S3Uri": "s3://dogs/test"}}},
]
JOB = {
    "TrainingJobName": "job-1",
    "CreationTime": 1_800_000_000.0,  # 2027-01-15T08:00:00Z
    "EnableNetworkIsolation": False,
    "TrainingTimeInSeconds": 90,
    "HyperParameters": {"eta": "0.1", "depth": "5.7", "mode": "fast", "a.b": "x"},
    "FinalMetricDataList": [
        {"MetricName": "validation:auc", "Value": 0.92, "Timestamp": 1_800_000_000.0},
        {"MetricName": "train:auc", "Value": 0.99, "Timestamp": 1_800_000_000.0},
    ],
    "InputDataConfig": CHANNELS,
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2},
    "Tags": [{"Key": "team", "Value": "ml"}, {"Key": "Key", "Value": "odd"}],
}

FILTERS = """
TrainingJobName             Equals               job-1                     yes
TrainingJobName             -                    job-1                     yes
TrainingJobName             Equals               Job-1                     no
TrainingJobName             NotEquals            job-2                     yes
TrainingJobName             NotEquals            job-1                     no
TrainingJobName             Contains             ob-                       yes
TrainingJobName             Contains             other                     no
TrainingJobName             In                   job-0,job-1               yes
TrainingJobName             In                   job-0,job-10              no
TrainingJobName             Exists               -                         yes
TrainingJobName             NotExists            -                         no
FailureReason               Exists               -                         no
FailureReason               NotExists            -                         yes
FailureReason               Equals               x                         no
FailureReason               NotEquals            x                         yes
VpcConfig                   NotExists            -                         yes
ResourceConfig              Exists               -                         yes
CreationTime                GreaterThan          2027-01-15T07:59:59       yes
CreationTime                GreaterThan          2027-01-15T08:00:00       no
CreationTime                GreaterThanOrEqualTo 2027-01-15T08:00:00Z      yes
CreationTime                LessThan             2027-01-15T09:00:00+01:00 no
CreationTime                LessThanOrEqualTo    2027-01-15T09:00:00+01:00 yes
CreationTime                Equals               2027-01-15T08:00:00       yes
TrainingTimeInSeconds       LessThan             90.5                      yes
TrainingTimeInSeconds       Equals               90.0                      yes
TrainingTimeInSeconds       GreaterThan          100                       no
EnableNetworkIsolation      Equals               false                     yes
EnableNetworkIsolation      Equals               true                      no
ResourceConfig.InstanceCount Equals              2                         yes
Metrics.validation:auc      GreaterThan          0.9                       yes
Metrics.validation:auc      GreaterThan          0.95                      no
Metrics.train:auc           GreaterThan          0.95                      yes
Metrics.other               Exists               -                         no
HyperParameters.eta         LessThan             0.5                       yes
HyperParameters.eta         Equals               0.10                      yes
HyperParameters.depth       Equals               5                         yes
HyperParameters.depth       Equals               5.0                       no
HyperParameters.depth       GreaterThan          5                         no
HyperParameters.mode        Equals               fast                      yes
HyperParameters.mode        Contains             as                        yes
HyperParameters.mode        GreaterThan          1                         no
HyperParameters.a.b         Equals               x                         yes
HyperParameters.none        NotExists            -                         yes
Tags.team                   Equals               ml                        yes
Tags.Key                    Equals               odd                       yes
Tags.other                  NotExists            -                         yes
InputDataConfig.ChannelName Equals               test                      yes
InputDataConfig.ChannelName Equals               other                     no
""".strip().splitlines()

REFUSED = {
    ("Nothing", "Exists", None): "Unknown property name: Nothing.",
    ("ResourceConfig.Nothing", "Exists", None): "Unknown property name: ResourceConfig.Nothing.",
    ("ResourceConfig..InstanceType", "Exists", None): "Unknown property name",
    ("TrainingJobName.more", "Exists", None): "Unknown property name",
    ("TrainingJobName", "GreaterThan", "a"): "The operator GreaterThan is not supported for the text",
    ("CreationTime", "Contains", "2027"): "The operator Contains is not supported for the timestamp",
    ("TrainingTimeInSeconds", "In", "1,2"): "The operator In is not supported for the numeric",
    ("ResourceConfig", "Equals", "x"): "The operator Equals is not supported for the structure",
    ("TrainingTimeInSeconds", "Equals", "many"): "The value many is not a numeric value",
    ("CreationTime", "Equals", "yesterday"): "The value yesterday is not a timestamp value",
    ("EnableNetworkIsolation", "Equals", "maybe"): "The value maybe is not a Boolean value",
    ("TrainingJobName", "Equals", None): "The filter of TrainingJobName needs a Value",
    ("TrainingJobName", None, None): "The filter of TrainingJobName needs a Value",
}


def shape() -> Shape:
    return service_model("sagemaker").shape_for("TrainingJob")


def satisfied(**expression: Any) -> bool:
    return condition_of(expression, shape())(JOB)


def refused(**expression: Any) -> str:
    with pytest.raises(Fault) as caught:
        condition_of(expression, shape())
    assert caught.value.code == "ValidationException"
    return caught.value.message


def a_filter(name: str, operator: str | None, value: str | None) -> dict[str, str]:
    given = {"Name": name, "Operator": operator, "Value": value}
    return {member: text for member, text in given.items() if text is not None}


YES = a_filter("TrainingJobName", "Equals", "job-1")
NO = a_filter("TrainingJobName", "Equals", "job-2")


@pytest.mark.parametrize("line", FILTERS)
def test_a_filter(line: str) -> None:
    name, operator, value, expected = (None if word == "-" else word for word in line.split())
    assert name is not None
    assert satisfied(Filters=[a_filter(name, operator, value)]) is (expected == "yes")


@pytest.mark.parametrize("given", REFUSED, ids=str)
def test_a_filter_that_cannot_be_decided_is_refused(given: tuple[str, str | None, str | None]) -> None:
    assert refused(Filters=[a_filter(*given)]).startswith(REFUSED[given])


def test_conditions_are_joined_by_and_or_by_or() -> None:
    both = [YES, NO]
    assert not satisfied(Filters=both)
    assert not satisfied(Filters=both, Operator="And")
    assert satisfied(Filters=both, Operator="Or")
    assert satisfied(Filters=[YES], SubExpressions=[{"Filters": both, "Operator": "Or"}])
    assert not satisfied(Filters=[YES], SubExpressions=[{"Filters": both}])
    assert satisfied(Filters=[NO], SubExpressions=[{"SubExpressions": [{"Filters": [YES]}]}], Operator="Or")


def nested(channel: str, uri: str) -> dict[str, Any]:
    filters = [
        a_filter("InputDataConfig.ChannelName", "Equals", channel),
        a_filter("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", uri),
    ]
    return {"NestedPropertyName": "InputDataConfig", "Filters": filters}


def test_one_item_of_a_list_satisfies_all_nested_filters() -> None:
    assert satisfied(NestedFilters=[nested("train", "cats")])
    assert not satisfied(NestedFilters=[nested("train", "dogs")])
    assert satisfied(Filters=nested("train", "dogs")["Filters"])  # an item for each


def test_nested_filters_are_about_a_list_and_what_is_below_it() -> None:
    outside = {"NestedPropertyName": "InputDataConfig", "Filters": [YES]}
    assert refused(NestedFilters=[outside]).startswith("The name TrainingJobName of a nested filter does not")
    text = {"NestedPropertyName": "TrainingJobName", "Filters": [YES]}
    assert refused(NestedFilters=[text]) == (
        "TrainingJobName is no list of structures; nested filters need one."
    )


def test_contains_is_used_once() -> None:
    contains = a_filter("TrainingJobName", "Contains", "job")
    told = "'CONTAINS' operator usage limit of 1 exceeded."
    assert refused(Filters=[contains, contains]) == told
    assert refused(Filters=[contains], SubExpressions=[{"Filters": [contains]}]) == told


def test_an_expression_has_a_part_and_at_most_fifty() -> None:
    assert refused().startswith("A SearchExpression needs at least one filter")
    assert refused(SubExpressions=[{}]).startswith("A SearchExpression needs at least one filter")
    half = {"Filters": [YES] * 20}
    assert satisfied(SubExpressions=[half, half], Filters=[YES] * 8)
    assert refused(SubExpressions=[half, half], Filters=[YES] * 9).startswith(
        "A SearchExpression has at most"
    )
    deep: dict[str, Any] = {"Filters": [YES]}
    for _ in range(60):
        deep = {"SubExpressions": [deep]}
    assert refused(**deep).startswith("A SearchExpression has at most 50")
