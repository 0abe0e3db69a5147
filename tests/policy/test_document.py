"""Documents: refused in AWS's words, compiled without ever widening what they grant."""

import json
from typing import Any

import pytest

from passrole.policy import MalformedPolicyDocument, PolicySet, evaluate, parse_document
from passrole.policy.document import Kind, compile_document

SYNTAX = "Syntax errors in policy."
NO_VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."


def statement(**changes: Any) -> dict[str, Any]:
    """A correct statement of an identity policy; an element that is changed to None is left out."""
    elements = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"} | changes
    return {name: value for name, value in elements.items() if value is not None}


def trust(**changes: Any) -> dict[str, Any]:
    principal = {"Service": "sagemaker.amazonaws.com"}
    return statement(**{"Principal": principal, "Action": "sts:AssumeRole", "Resource": None} | changes)


IDENTITY = [
    (statement(Effect="allow"), SYNTAX),
    (statement(Effect=None), SYNTAX),
    (statement(Effekt="Allow"), SYNTAX),
    (statement(Sid=7), SYNTAX),
    (statement(Action=[7]), SYNTAX),
    (statement(NotAction="s3:*"), SYNTAX),
    (statement(NotResource="*"), SYNTAX),
    (statement(Condition={"StringFoo": {"k": "v"}}), SYNTAX),
    (statement(Condition={"StringEquals": "v"}), SYNTAX),
    (statement(Condition={"StringEquals": {"k": {"deep": 1}}}), SYNTAX),
    (statement(Condition=[]), SYNTAX),
    (statement(Principal="*"), "Policy document should not specify a principal."),
    (statement(Action=None), "Policy statement must contain actions."),
    (statement(Action=[]), "Policy statement must contain actions."),
    (statement(Action="SendMessage"), NO_VENDOR),
    (statement(Action="s*:Get*"), "Vendor s* is not valid"),
    (statement(Action="a:b:c"), "Actions/Condition can contain only one colon."),
    (statement(Resource=None), "Policy statement must contain resources."),
    (statement(Resource="my-queue"), 'Resource my-queue must be in ARN format or "*".'),
    (statement(Resource=None, NotResource="x"), 'Resource x must be in ARN format or "*".'),
]  # fmt: skip

TRUST = [
    (trust(Resource="*"), "Has prohibited field Resource"),
    (trust(NotResource="*"), "Has prohibited field NotResource"),
    (trust(Principal=None), "Missing required field Principal"),
    (trust(Principal={}), "Missing required field Principal cannot be empty!"),
    (trust(Principal="ann"), "Invalid principal in policy"),
    (trust(Principal={"AWS": "ann"}), 'Invalid principal in policy: "AWS":"ann"'),
    (
        trust(Principal={"AWS": "arn:aws:iam::111122223333:role/*"}),
        'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:role/*"',
    ),
    (trust(Action=None), "Missing required field Action"),
    (trust(Action="sqs:*"), "AssumeRole policy may only specify STS AssumeRole actions."),
    (trust(Action="*"), "AssumeRole policy may only specify STS AssumeRole actions."),
]

RESOURCE = [
    (statement(), "Missing required field Principal"),
    (statement(Principal="*", Resource=None), "Missing required field Resource"),
    (statement(Principal="*", Action=None), "Missing required field Action"),
]


@pytest.mark.parametrize(
    ("kind", "element", "message"),
    [
        *(("identity", *case) for case in IDENTITY),
        *(("trust", *case) for case in TRUST),
        *(("resource", *case) for case in RESOURCE),
    ],
)
def test_a_malformed_statement_is_refused_in_the_words_of_aws(
    kind: Kind, element: dict[str, Any], message: str
) -> None:
    with pytest.raises(MalformedPolicyDocument) as refusal:
        parse_document({"Version": "2012-10-17", "Statement": [element]}, kind)
    assert refusal.value.message == message


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", '"text"', "{}", "[" * 100_000, '{"Statement": []}', '{"Statement": ["x"]}',
        '{"Statement": NaN}', '{"Statement": {}, "Extra": 1}', '{"Version": 1, "Statement": {}}',
        '{"Version": "2020-01-01", "Statement": {}}',
    ],
)  # fmt: skip
def test_what_is_no_policy_is_a_syntax_error(text: str) -> None:
    with pytest.raises(MalformedPolicyDocument, match=SYNTAX):
        parse_document(text)


@pytest.mark.parametrize("kind", ["trust", "resource"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "This policy contains invalid Json"),
        ('{"Statement": []}', "Could not parse the policy: Statement is empty!"),
    ],
)
def test_other_kinds_of_document_name_what_is_missing(kind: Kind, text: str, message: str) -> None:
    with pytest.raises(MalformedPolicyDocument) as refusal:
        parse_document(text, kind)
    assert refusal.value.message == message


def test_two_statements_may_not_share_a_sid() -> None:
    twice = [statement(Sid="A"), statement(Sid="A")]
    with pytest.raises(MalformedPolicyDocument, match=r"Statement IDs \(SID\)"):
        parse_document({"Statement": twice})
    assert parse_document({"Statement": [statement(Sid=""), statement(Sid="")]})


@pytest.mark.parametrize(
    ("kind", "element"),
    [
        ("identity", statement(Action=["sqs:*", "s3:Get*"], Resource=["arn:aws:sqs:*", "*"])),
        ("identity", statement(Action=None, NotAction="iam:*")),
        ("identity", statement(Condition={"ForAllValues:StringLikeIfExists": {"aws:TagKeys": ["a", "b"]}})),
        ("identity", statement(Condition={"Bool": {"aws:SecureTransport": True}})),
        ("trust", trust()),
        ("trust", trust(Principal={"AWS": ["111122223333", "AROAEXAMPLE", "*"]})),
        ("trust", trust(Action=["sts:AssumeRole", "sts:TagSession"])),
        ("resource", statement(Principal="*")),
        ("resource", statement(Principal=None, NotPrincipal={"AWS": "111122223333"})),
    ],
)
def test_a_good_document_is_read_from_text_and_from_objects(kind: Kind, element: dict[str, Any]) -> None:
    document = {"Version": "2012-10-17", "Id": "x", "Statement": element}
    assert len(parse_document(document, kind).statements) == 1
    assert len(parse_document(json.dumps(document), kind).statements) == 1


@pytest.mark.parametrize(
    "element",
    [
        statement(Action=None),
        statement(Action=None, NotAction=[]),
        statement(Resource=None),
        statement(Resource=None, NotResource=[]),
        statement(Condition={"StringFoo": {"k": "v"}}),
        statement(Action=None, NotAction="s3:*", Condition={"StringFoo": {"k": "v"}}),
        statement(Condition="unreadable"),
        statement(Effect="allow"),
    ],
)
def test_what_an_unchecked_document_lacks_never_grants(element: dict[str, Any], ask: Any) -> None:
    policy = compile_document({"Version": "2012-10-17", "Statement": [element]})
    assert not evaluate(ask(), PolicySet(identity=(("p", policy),))).allowed


def test_a_deny_whose_condition_cannot_be_read_holds_without_it(ask: Any) -> None:
    element = statement(Effect="Deny", Condition={"StringFoo": {"k": "v"}})
    policy = compile_document({"Version": "2012-10-17", "Statement": [element]})
    assert evaluate(ask(), PolicySet(identity=(("p", policy),))).explicit


def test_a_policy_remembers_a_bounded_number_of_actions() -> None:
    policy = parse_document({"Statement": statement()})
    for number in range(5_000):
        policy.about(f"sqs:Hostile{number}")
    assert len(policy._memo) <= 1024
    assert policy.about("SQS:sendmessage").allows == policy.statements
