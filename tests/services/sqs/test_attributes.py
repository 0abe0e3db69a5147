"""The table of queue attributes: ranges, defaults, and what goes with what."""

import pytest

from passrole.faults import Fault
from passrole.services.sqs.attributes import checked, complete, known, merged, number

RANGES = [
    ("DelaySeconds", 0, 900),
    ("MaximumMessageSize", 1_024, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("VisibilityTimeout", 0, 43_200),
]


@pytest.mark.parametrize("name, low, high", RANGES)
def test_a_number_is_held_to_its_range(name: str, low: int, high: int) -> None:
    for good in (low, high):
        assert checked({name: str(good)}, fifo=False) == {name: str(good)}
    for bad in (str(low - 1), str(high + 1), "", "many", "1.5", " 60", "9" * 5_000, "٣٠٠"):
        with pytest.raises(Fault) as caught:
            checked({name: bad}, fifo=False)
        assert caught.value.code == "InvalidAttributeValue"
        assert caught.value.message == f"Invalid value for the parameter {name}."


def test_a_number_with_leading_zeros_is_the_same_number() -> None:
    assert checked({"VisibilityTimeout": "0030"}, fifo=False) == {"VisibilityTimeout": "30"}


@pytest.mark.parametrize(
    "name, value",
    [
        ("ContentBasedDeduplication", "yes"),
        ("DeduplicationScope", "group"),
        ("FifoThroughputLimit", "none"),
        ("FifoQueue", "false"),
        ("Policy", "nonsense"),
        ("Policy", "[]"),
        ("Policy", '{"Statement": [{"Effect": "Perhaps"}]}'),
        (
            "Policy",
            '{"Statement": {"Effect": "Deny", "Effect": "Allow", "Principal": "*", "Action": "sqs:*",'
            ' "Resource": "*"}}',
        ),
        (
            "Policy",
            '{"Statement": {"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}, "Action": "sqs:*",'
            ' "Resource": "*"}}',
        ),
        ("SqsManagedSseEnabled", "1"),
    ],
)
def test_other_values_are_held_to_their_lists(name: str, value: str) -> None:
    with pytest.raises(Fault) as caught:
        checked({name: value}, fifo=True)
    assert caught.value.code == "InvalidAttributeValue"


@pytest.mark.parametrize("name", ["Colour", "QueueArn", "ApproximateNumberOfMessages", "FifoQueue"])
def test_what_a_standard_queue_cannot_be_given_is_unknown(name: str) -> None:
    with pytest.raises(Fault) as caught:
        checked({name: "true"}, fifo=False)
    assert (caught.value.code, caught.value.message) == ("InvalidAttributeName", f"Unknown Attribute {name}.")


def test_a_key_of_kms_is_kept_as_it_is_given() -> None:
    given = {"KmsMasterKeyId": "alias/aws/sqs", "KmsDataKeyReusePeriodSeconds": "60"}
    assert checked(given, fifo=False) == given
    with pytest.raises(Fault) as caught:
        checked({"KmsDataKeyReusePeriodSeconds": "59"}, fifo=False)
    assert caught.value.code == "InvalidAttributeValue"


def test_an_empty_text_removes_what_has_no_default() -> None:
    present = {"Policy": "{}", "VisibilityTimeout": "5"}
    assert merged(present, checked({"Policy": ""}, fifo=False)) == {"VisibilityTimeout": "5"}


def test_throughput_by_group_needs_deduplication_by_group() -> None:
    by_group = {"FifoThroughputLimit": "perMessageGroupId"}
    assert merged({"DeduplicationScope": "messageGroup"}, by_group)
    with pytest.raises(Fault) as caught:
        merged({}, by_group)
    assert caught.value.code == "InvalidAttributeValue"


def test_defaults_fill_what_is_not_set() -> None:
    standard, fifo = complete({"DelaySeconds": "7"}, fifo=False), complete({}, fifo=True)
    assert standard == {
        "DelaySeconds": "7",
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "false",
        "VisibilityTimeout": "30",
    }
    assert fifo.keys() - standard.keys() == {
        "ContentBasedDeduplication",
        "DeduplicationScope",
        "FifoQueue",
        "FifoThroughputLimit",
    }
    assert number({}, "VisibilityTimeout") == 30


@pytest.mark.parametrize(
    "name, standard, fifo",
    [
        ("QueueArn", True, True),
        ("Policy", True, True),
        ("FifoQueue", False, True),
        ("Colour", False, False),
    ],
)
def test_which_attributes_can_be_asked_for(name: str, standard: bool, fifo: bool) -> None:
    assert (known(name, fifo=False), known(name, fifo=True)) == (standard, fifo)
