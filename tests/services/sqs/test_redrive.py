"""The two redrive documents."""

import json

import pytest

from passrole.faults import Fault
from passrole.services.sqs.redrive import RedrivePolicy, allows, check_allow_policy, parse_policy

DEAD = "arn:aws:sqs:us-east-1:111122223333:dead"
JOBS = "arn:aws:sqs:us-east-1:111122223333:jobs"


@pytest.mark.parametrize(
    "document, receives",
    [
        ({"deadLetterTargetArn": DEAD, "maxReceiveCount": 3}, 3),
        ({"deadLetterTargetArn": DEAD, "maxReceiveCount": "1000"}, 1_000),
        ({"deadLetterTargetArn": DEAD}, 10),
    ],
)
def test_a_policy_names_the_target_and_the_receives(document: dict[str, object], receives: int) -> None:
    assert parse_policy(json.dumps(document)) == RedrivePolicy(DEAD, receives)


@pytest.mark.parametrize(
    "text, reason",
    [
        ("nonsense", "Redrive policy is not a valid JSON map."),
        ("[]", "Redrive policy is not a valid JSON map."),
        ("{}", "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."),
        (
            '{"deadLetterTargetArn": "dummy", "maxReceiveCount": 42}',
            "Invalid value for deadLetterTargetArn.",
        ),
        (
            f'{{"deadLetterTargetArn": "{DEAD}", "maxReceiveCount": 0}}',
            "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive.",
        ),
        (
            f'{{"deadLetterTargetArn": "{DEAD}", "maxReceiveCount": "many"}}',
            "Invalid value for maxReceiveCount: many, valid values are from 1 to 1000 both inclusive.",
        ),
    ],
)
def test_a_bad_policy_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(Fault) as caught:
        parse_policy(text)
    assert caught.value.code == "InvalidParameterValue"
    assert caught.value.message == f"Value {text} for parameter RedrivePolicy is invalid. Reason: {reason}"


@pytest.mark.parametrize(
    "document, allowed",
    [
        (None, True),
        ({"redrivePermission": "allowAll"}, True),
        ({"redrivePermission": "denyAll"}, False),
        ({"redrivePermission": "byQueue", "sourceQueueArns": [JOBS]}, True),
        ({"redrivePermission": "byQueue", "sourceQueueArns": [DEAD]}, False),
    ],
)
def test_a_dead_letter_queue_chooses_its_sources(document: dict[str, object] | None, allowed: bool) -> None:
    text = None if document is None else json.dumps(document)
    if text is not None:
        check_allow_policy(text)
    assert allows(text, JOBS) is allowed


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"redrivePermission": "some"},
        {"redrivePermission": "byQueue"},
        {"redrivePermission": "byQueue", "sourceQueueArns": JOBS},
        {"redrivePermission": "byQueue", "sourceQueueArns": [JOBS] * 11},
        {"redrivePermission": "denyAll", "sourceQueueArns": [JOBS]},
    ],
)
def test_a_bad_allow_policy_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(Fault, match="RedriveAllowPolicy is invalid"):
        check_allow_policy(json.dumps(document))
