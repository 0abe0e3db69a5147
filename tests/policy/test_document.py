"""Documents: refused in AWS's words, compiled without ever widening what they grant."""

import json
from typing import Any

import pytest

from passrole.policy import MalformedPolicyDocument, PolicySet, evaluate, parse_document
from passrole.policy.document import DocumentKind, compile_document
from passrole.policy.resource_syntax import PARTITIONS

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

LEGACY = "The policy failed legacy parsing"
BAD_SID = (
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression"
    " [0-9A-Za-z]*"
)
IAM_PATH = (
    'IAM resource path must either be "*", root, or start with user/, federated-user/, role/, group/,'
    " instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/,"
    " report/, access-report/."
)
NO_VENDOR_IN_ARN = "Resource vendor must be fully qualified and cannot contain regexes."


def dated(date: Any) -> dict[str, Any]:
    return statement(Condition={"ForAnyValue:DateLessThanIfExists": {"aws:CurrentTime": date}})


def keyed(key: str) -> dict[str, Any]:
    return statement(Condition={"StringEquals": {key: "x"}})


RESOURCES = [
    ("arn:aws:s3::bucket",                    LEGACY),
    ("arn:aws:sqs::queue",                    LEGACY),
    ("arn:aws::x",                            LEGACY),
    ("arn:aws::::bucket",                     LEGACY),
    ("arn:awss3::bucket/*",                   LEGACY),
    ("arn:aws",                               NO_VENDOR_IN_ARN),
    ("arn:aws:*:*:*:*x*",                     NO_VENDOR_IN_ARN),
    ("arn:aws:s?s:us-east-1:111122223333:q",  NO_VENDOR_IN_ARN),
    ("arn:aws:s3:us-east-1::b", "Resource arn:aws:s3:us-east-1::b can not contain region information."),
    ("arn:aws:s3:*:1:b", "Resource arn:aws:s3:*:1:b can not contain region information."),
    ("arn:aws:iam:eu-west-1::a", "IAM resource arn:aws:iam:eu-west-1::a cannot contain region information."),
    ("arn:aws:iam:*:*:*x*", "IAM resource arn:aws:iam:*:*:*x* cannot contain region information."),
    ("arn:aws:iam::111122223333:u*",          IAM_PATH),
    ("arn:aws:iam::111122223333:Role/x",      IAM_PATH),
    ("arn:aws:iam::111122223333:*/x",         IAM_PATH),
    ("arn:aws2:s3:::b/*", 'Partition "aws2" is not valid for resource "arn:aws2:s3:::b/*".'),
    ("arn:aws-cn:s3:::b", 'Partition "aws-cn" is not valid for resource "arn:aws-cn:s3:::b".'),
    ("aws:s3:::b", 'Partition "s3" is not valid for resource "arn:s3:::b:*".'),
    ("a:b:c:d:e:f:g", 'Partition "b" is not valid for resource "arn:b:c:d:e:f:g".'),
    ("s3::b", 'Partition "" is not valid for resource "arn::b:*:*:*".'),
]  # fmt: skip

IDENTITY += [
    *((statement(Resource=[text, "*"]), message) for text, message in RESOURCES),
    *((statement(Resource=None, NotResource=text), message) for text, message in RESOURCES),
    *((statement(Sid=sid), BAD_SID) for sid in ("a-b", "a b", "é", "a_b")),
    *(
        (dated(date), LEGACY)
        for date in ("tomorrow", "2026-13", "2026-02-30", ["2026", "x"], "2026-01-01T24:00Z", "1e9", "",
                     "9223372036854775808", "2016-12-13t2:00:00.593194+1", "${aws:CurrentTime}")
    ),
    *(
        (keyed(key), SYNTAX)
        for key in ("aws:RequestTag/", "aws:ResourceTag/a*", "AWS:principaltag/${x}", "iam:ResourceTag/a;b",
                    "s3:ExistingObjectTag/a#", f"aws:RequestTag/{'a' * 129}")
    ),
]  # fmt: skip

TRUST = [
    (trust(Principal=None, NotPrincipal={"AWS": "*"}), "Allow with NotPrincipal is not allowed."),
    (
        trust(Effect="Deny", Principal=None, NotPrincipal={"AWS": "111122223333"}),
        "Has prohibited field NotPrincipal",
    ),
    (trust(Sid="a-b"), BAD_SID),
    (trust(Condition={"DateEquals": {"aws:CurrentTime": "x"}}), LEGACY),
    (trust(Condition={"StringEquals": {"aws:RequestTag/*": "x"}}), SYNTAX),
    (
        trust(Principal={"AWS": "arn:aws-cn:iam::111122223333:root"}),
        'Invalid principal in policy: "AWS":"arn:aws-cn:iam::111122223333:root"',
    ),
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
    (
        statement(Principal=None, NotPrincipal={"AWS": "111122223333"}),
        "Allow with NotPrincipal is not allowed.",
    ),
    (statement(Principal="*", Condition={"DateEquals": {"aws:CurrentTime": "x"}}), LEGACY),
    (statement(), "Missing required field Principal"),
    (statement(Principal="*", Resource=None), "Missing required field Resource"),
    (statement(Principal="*", Action=None), "Missing required field Action"),
]


SESSION = [
    *((statement(Resource=short), LEGACY) for short in ("arn:aws:sqs", "arn:aws:sqs:*", "arn:aws:s3")),
    (statement(Resource=None, NotResource=["*", "arn:aws:sqs:us-east-1:111122223333"]), LEGACY),
]


@pytest.mark.parametrize(
    ("kind", "element", "message"),
    [
        *(("identity", *case) for case in IDENTITY),
        *(("trust", *case) for case in TRUST),
        *(("resource", *case) for case in RESOURCE),
        *(("session", *case) for case in [*IDENTITY, *SESSION]),
        *(("managed", *case) for case in IDENTITY),
    ],
)
def test_a_malformed_statement_is_refused_in_the_words_of_aws(
    kind: DocumentKind, element: dict[str, Any], message: str
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
def test_other_kinds_of_document_name_what_is_missing(kind: DocumentKind, text: str, message: str) -> None:
    with pytest.raises(MalformedPolicyDocument) as refusal:
        parse_document(text, kind)
    assert refusal.value.message == message


TWICE = [
    '{"Version": "2012-10-17", "Statement": {S}, "Statement": {S}}',
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Effect": "Allow"}]}',
    '{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Condition": {"Bool": {}, "Bool": {}}}}',
    '{"Statement": [{"Effect": "Allow", "Condition": {"Bool": {"aws:a": "true", "aws:\\u0061": "false"}}}]}',
    '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*", "AWS": "111122223333"}}]}',
]


@pytest.mark.parametrize("text", TWICE)
@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("identity", SYNTAX),
        ("managed", SYNTAX),
        ("session", SYNTAX),
        ("trust", "This policy contains invalid Json"),
        ("resource", "This policy contains invalid Json"),
    ],
)
def test_a_repeated_key_is_refused_wherever_it_stands(text: str, kind: DocumentKind, message: str) -> None:
    with pytest.raises(MalformedPolicyDocument) as refusal:
        parse_document(text.replace("{S}", json.dumps(statement())), kind)
    assert refusal.value.message == message


@pytest.mark.parametrize("version", [None, "2008-10-17"])
def test_only_a_managed_policy_must_be_of_the_newer_version(version: str | None) -> None:
    document = {"Statement": [statement()], **({"Version": version} if version else {})}
    with pytest.raises(MalformedPolicyDocument) as refusal:
        parse_document(document, "managed")
    assert refusal.value.message == "Policy document must be version 2012-10-17 or greater."
    assert parse_document(document, "identity") and parse_document(document, "session")


def test_the_first_defect_is_the_one_that_aws_names() -> None:
    bad_date = dated("x")
    syntax_later = [statement(Action=None), statement(Effect=None)]
    for listed, message in (
        (syntax_later, SYNTAX),
        ([statement(Sid="A", Action=None), statement(Sid="A")], "Statement IDs (SID) in a"),
        ([bad_date | {"Resource": "arn:error:s3:::b"}], LEGACY),
        ([statement(Action=None, Resource="arn:aws:s3::b")], LEGACY),
    ):
        with pytest.raises(MalformedPolicyDocument) as refusal:
            parse_document({"Version": "2012-10-17", "Statement": listed})
        assert refusal.value.message.startswith(message)


def test_a_file_may_be_of_another_partition() -> None:
    document = {"Version": "2012-10-17", "Statement": [statement(Resource="arn:aws-cn:s3:::b")]}
    assert parse_document(document, "identity", PARTITIONS)


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
        ("resource", statement(Effect="Deny", NotPrincipal={"AWS": "111122223333"})),
        ("resource", statement(Sid="a sid-of a queue", Principal="*", Resource="arn:aws:s3::short")),
        (
            "identity",
            statement(Resource=["arn:aws:sqs", "arn:aws:sqs:us-east-1", "arn:aws:s3", "arn:aws:iam:*"]),
        ),
        ("identity", statement(NotAction="s3.s:x", Action=None, NotResource="arn:*:s3:::b", Resource=None)),
        ("identity", statement(Resource=["arn:aws:iam::111122223333:root", "arn:aws:iam::*:*"])),
        (
            "identity",
            statement(Resource=["arn:aws:s3:eu-west-1:111122223333:accesspoint/a", "arn:aws:s33:::b"]),
        ),
        ("identity", statement(Resource="arn:aws:sqs:*:*:${aws:username}-q")),
        ("identity", statement(Condition={"StringFoo": {}, "DateGreaterThan": {"aws:CurrentTime": []}})),
        ("identity", statement(Condition={"StringEquals": {"aws:RequestTag/Kosten Stelle:Ü@+=": "x"}})),
        ("identity", statement(Condition={"StringEquals": {"any:unknown-key/*": "x"}})),
        *(
            ("identity", statement(Condition={"DateLessThan": {"aws:CurrentTime": date}}))
            for date in (
                "2026",
                "2026-01",
                "2026-01-01T12:30Z",
                "01T",
                "-292275054",
                "1767225600",
                "2016-12-13t2:00:00.593194+23",
                "9223372036854775807",
            )
        ),
        ("managed", statement()),
        ("session", statement(Resource=["*", "arn:aws:s3:::b/*"])),
    ],
)
def test_a_document_is_read_from_text_and_from_objects(kind: DocumentKind, element: dict[str, Any]) -> None:
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
        policy.statements_for(f"sqs:Hostile{number}")
    assert len(policy._memo) <= 1024
    assert policy.statements_for("SQS:sendmessage").allows == policy.statements
