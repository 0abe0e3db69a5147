"""What the descriptions demand is asked for in AWS's words."""

import re
import time
from typing import Any

import pytest

from passrole.wire import constraints
from passrole.wire.descriptions import SERVICES, Protocol, service_model
from passrole.wire.value_constraints import AMBIGUOUS

TOKEN = "0123456789012345678901234567890123"
PIPELINE = {"PipelineName": "p", "RoleArn": "arn:aws:iam::111122223333:role/R", "ClientRequestToken": TOKEN}

CASES: list[tuple[str, str, dict[str, Any], list[str]]] = [
    ("sagemaker", "CreatePipeline", PIPELINE, []),
    (
        "sagemaker",
        "CreatePipeline",
        {name: value for name, value in PIPELINE.items() if name != "RoleArn"},
        ["Value null at 'roleArn' failed to satisfy constraint: Member must not be null"],
    ),
    (
        "sagemaker",
        "CreatePipeline",
        {**PIPELINE, "PipelineName": "-"},
        [
            "Value '-' at 'pipelineName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}"
        ],
    ),
    (
        "sagemaker",
        "CreatePipeline",
        {**PIPELINE, "Tags": [{"Key": "k", "Value": "v"}, {"Key": "", "Value": "v"}]},
        [
            "Value '' at 'tags.2.member.key' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        ],
    ),
    (
        "sagemaker",
        "ListPipelines",
        {"MaxResults": 101, "SortOrder": "Up"},
        [
            "Value '101' at 'maxResults' failed to satisfy constraint: "
            "Member must have value less than or equal to 100",
            "Value 'Up' at 'sortOrder' failed to satisfy constraint: "
            "Member must satisfy enum value set: [Ascending, Descending]",
        ],
    ),
    (
        "logs",
        "PutLogEvents",
        {"logGroupName": "g", "logStreamName": "s", "logEvents": []},
        [
            "Value '[]' at 'logEvents' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        ],
    ),
    (
        "logs",
        "PutLogEvents",
        {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"message": "m"}]},
        [
            "Value null at 'logEvents.1.member.timestamp' failed to satisfy constraint: "
            "Member must not be null"
        ],
    ),
    (
        "logs",
        "DescribeLogGroups",
        {"logGroupNamePrefix": ""},
        [
            "Value '' at 'logGroupNamePrefix' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+",
            "Value '' at 'logGroupNamePrefix' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ],
    ),
    (
        "logs",
        "TagLogGroup",
        {"logGroupName": "g", "tags": {"k": "v" * 257}},
        [
            "Value '{k=" + "v" * 257 + "}' at 'tags' failed to satisfy constraint: "
            "Map value must satisfy constraint: [Member must have length less than or equal to 256]"
        ],
    ),
    (
        "iam",
        "ListEntitiesForPolicy",
        {"PolicyArn": "arn:aws:iam::aws:policy/ReadOnly", "PathPrefix": "x"},
        [
            "Value 'x' at 'pathPrefix' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: (\u002F)|(\u002F[\u0021-\u007E]+\u002F)"
        ],
    ),
    (
        "iam",
        "ChangePassword",
        {"OldPassword": "", "NewPassword": "x"},
        [
            "Value at 'oldPassword' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+",
            "Value at 'oldPassword' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ],
    ),
    ("sqs", "SendMessage", {"QueueUrl": "q"}, ["The request must contain the parameter MessageBody."]),
    (
        "sqs",
        "SendMessageBatch",
        {"QueueUrl": "q", "Entries": [{"Id": "a"}]},
        ["The request must contain the parameter Entries.1.MessageBody."],
    ),
    ("sqs", "GetQueueAttributes", {"QueueUrl": "q", "AttributeNames": ["Invented"]}, []),
    ("sts", "GetCallerIdentity", {}, []),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "expected"), CASES)
def test_each_failed_constraint_is_a_sentence(
    service: str, operation: str, parameters: dict[str, Any], expected: list[str]
) -> None:
    assert sorted(constraints.problems(service, operation, parameters)) == sorted(expected)


@pytest.mark.parametrize(
    ("service", "operation", "code", "message"),
    [
        (
            "sagemaker",
            "DescribePipeline",
            "ValidationException",
            "1 validation error detected: Value null at 'pipelineName' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            "iam",
            "PutRolePolicy",
            "ValidationError",
            "3 validation errors detected: Value null at 'roleName' failed to satisfy constraint: "
            "Member must not be null; Value null at 'policyName' failed to satisfy constraint: "
            "Member must not be null; Value null at 'policyDocument' failed to satisfy constraint: "
            "Member must not be null",
        ),
        (
            "logs",
            "CreateLogGroup",
            "InvalidParameterException",
            "1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: "
            "Member must not be null",
        ),
        ("sqs", "SendMessage", "MissingParameter", "The request must contain the parameter QueueUrl."),
    ],
)
def test_the_service_counts_them_under_its_own_code(
    service: str, operation: str, code: str, message: str
) -> None:
    fault = constraints.fault(service, operation, {})
    assert fault is not None
    assert (fault.code, fault.message) == (code, message)


def test_what_is_right_is_no_fault() -> None:
    assert constraints.fault("sagemaker", "CreatePipeline", PIPELINE) is None


def test_a_long_value_is_not_echoed_whole() -> None:
    problems = constraints.problems("sagemaker", "DescribePipeline", {"PipelineName": "x" * 100_000})
    assert len(problems) == 1
    assert len(problems[0]) < 2000


def test_of_a_list_that_is_too_long_no_member_is_looked_at() -> None:
    entries = [{"Source": 1} for _ in range(11)]  # a number would break what looks at it as a text
    (problem,) = constraints.problems("events", "PutEvents", {"Entries": entries})
    assert problem.endswith(
        "' at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10"
    )
    assert len(problem) < 2 * constraints.SHOWN_CHARS_MAX


def test_what_is_wrong_is_said_of_so_many_members_and_no_more() -> None:
    keys = {"TagKeys": [f"aws:{number}" for number in range(3)]}
    assert len(constraints.problems("sagemaker", "DeleteTags", {"ResourceArn": "arn:aws:x", **keys})) <= 3
    steps = [{"HadoopJarStep": {"Jar": "j"}} for _ in range(100_000)]
    found = constraints.problems("emr", "AddJobFlowSteps", {"JobFlowId": "j-1", "Steps": steps})
    assert len(found) == constraints.PROBLEMS_MAX


def test_a_value_is_echoed_in_javas_way() -> None:
    tags = {"Tags": [{"Key": "a", "Value": None}, {"Key": "b", "Value": "c"}] * 30}
    (problem,) = constraints.problems("sagemaker", "CreatePipeline", {**PIPELINE, **tags})
    assert problem.startswith("Value '[{Key=a, Value=null}, {Key=b, Value=c}, {")


@pytest.mark.parametrize(
    ("service", "protocol"), [(service.name, service.protocols[0]) for service in SERVICES.values()]
)
def test_every_operation_accepts_or_refuses_a_full_request(
    client: Any, service: str, protocol: Protocol
) -> None:
    for operation in client.operations(service, protocol):
        found = constraints.problems(service, operation.name, client.sample(operation.input_shape))
        assert all("failed to satisfy constraint" in message for message in found)


def test_the_patterns_that_are_tried_are_quick_on_what_does_not_fit() -> None:
    """A new botocore may bring one whose time doubles with each character; it belongs in AMBIGUOUS then."""
    tails = ("a", "0", "-", "_", ".", "/", " ", "a-", "a.", "+", "=")
    for pattern in sorted(_patterns() - AMBIGUOUS):
        for start in ("", "a", "https://", "arn:aws:iam::111122223333:role/"):
            for tail in tails:
                before = time.process_time()
                re.fullmatch(pattern, start + (tail * 22)[:22] + "\0")
                assert time.process_time() - before < 0.1, pattern


def test_the_ambiguous_patterns_are_still_described() -> None:
    assert _patterns() >= AMBIGUOUS


def _patterns() -> set[str]:
    """All patterns that Python can compile."""
    found = set()
    for service in SERVICES:
        model = service_model(service)
        for name in model.shape_names:
            pattern = model.shape_for(name).metadata.get("pattern")
            if pattern and _compiles(pattern):
                found.add(pattern)
    return found


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, FutureWarning):
        return False
    return True
