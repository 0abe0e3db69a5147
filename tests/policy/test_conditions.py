"""Condition operators: one line per meeting of a policy's value with a request's."""

import pytest

from passrole.policy import Principal, Request
from passrole.policy.conditions import compile_conditions, read_operator
from passrole.policy.operators import OPERATORS
from passrole.policy.request import Values
from passrole.policy.scope import Scope

USER = Principal("user", "arn:aws:iam::1:user/ann", "1", "AIDAX", "ann", tags={"Team": "ml", "tls": "false"})

VALUES = [
    # operator                   policy                    request                       holds
    ("StringEquals",             "a",                      "a",                          True),
    ("StringEquals",             "a*",                     "ab",                         False),
    ("StringEquals",             "${aws:username}",        "ann",                        True),
    ("StringEquals",             "${aws:PrincipalTag/no}", "",                           False),
    ("StringNotEquals",          ["a", "b"],               "b",                          False),
    ("StringNotEquals",          ["a", "b"],               "c",                          True),
    ("StringNotEquals",          "${aws:PrincipalTag/no}", "c",                          False),
    ("StringEqualsIgnoreCase",   "ABC",                    "abC",                        True),
    ("StringNotEqualsIgnoreCase", "ABC",                   "abC",                        False),
    ("StringLike",               "${aws:username}/*",      "ann/x",                      True),
    ("StringLike",               "A*",                     "ab",                         False),
    ("StringNotLike",            "a?",                     "ab",                         False),
    ("NumericEquals",            10,                       "10.0",                       True),
    ("NumericEquals",            "10",                     "10abc",                      False),
    ("NumericNotEquals",         "10",                     "10abc",                      False),
    ("NumericNotEquals",         "10",                     "11",                         True),
    ("NumericLessThan",          "10",                     "9",                          True),
    ("NumericLessThanEquals",    "10",                     "10",                         True),
    ("NumericGreaterThan",       "9007199254740992",       "9007199254740993",           True),
    ("NumericGreaterThanEquals", "10",                     "9.99",                       False),
    ("NumericEquals",            "NaN",                    "NaN",                        False),
    ("NumericEquals",            "1_0",                    "10",                         False),
    ("DateEquals",               "2024-01-01T00:00:00Z",   "2024-01-01T01:00:00+01:00",  True),
    ("DateNotEquals",            "2024-01-01T00:00:00Z",   "2024-01-01",                 False),
    ("DateLessThan",             "2024-01-01T00:00:00Z",   "2023-12-31T23:59:59.9Z",     True),
    ("DateLessThanEquals",       "2024-01-01T00:00:00Z",   "2024-01-01T00:00:01Z",       False),
    ("DateGreaterThan",          "2024-01-01T00:00:00Z",   "1704067201",                 True),
    ("DateGreaterThanEquals",    "2024-01-01T00:00:00Z",   "tomorrow",                   False),
    ("DateGreaterThan",          "2026-01",                "2026-01-01T00:00:01Z",       True),
    ("DateGreaterThan",          "2026-01",                "2025-12-31T23:59:59Z",       False),
    ("DateLessThan",             "2027",                   "2026-12-31T23:59:59Z",       True),
    ("DateLessThan",             "2026-01-01T12:30Z",      "2026-01-01T12:29:59Z",       True),
    ("DateEquals",               "2026-01-01t2:30+02",     "2026-01-01T00:30:00Z",       True),
    ("DateEquals",               "2026-01-01T12:30-05:30", "2026-01-01T18:00:00Z",       True),
    ("Bool",                     True,                     "true",                       True),
    ("Bool",                     "TRUE",                   "false",                      False),
    ("Bool",                     "true",                   "yes",                        False),
    ("Bool",                     "${aws:PrincipalTag/tls}", "false",                     True),
    ("Bool",                     "${aws:PrincipalTag/tls}", "TRUE",                      False),
    ("Bool",                     "${aws:PrincipalTag/no}", "false",                      False),
    ("Bool",                     "${aws:PrincipalTag/no, 'false'}", "false",             True),
    ("BinaryEquals",             "QmluYXJ5",               "QmluYXJ5",                   True),
    ("BinaryEquals",             "QmluYXJ5",               "not base64!",                False),
    ("IpAddress",                "203.0.113.0/24",         "203.0.113.9",                True),
    ("IpAddress",                "203.0.113.9",            "203.0.113.8",                False),
    ("IpAddress",                "2001:DB8::/32",          "2001:0db8:0:0::1",           True),
    ("IpAddress",                "203.0.113.0/24",         "2001:db8::1",                False),
    ("NotIpAddress",             "10.0.0.0/8",             "203.0.113.9",                True),
    ("NotIpAddress",             "10.0.0.0/8",             "10.1.2.3",                   False),
    ("NotIpAddress",             "10.0.0.0/8",             "nowhere",                    False),
    ("IpAddress",                "10.0.0.0/8",             "::ffff:10.1.2.3",            True),
    ("NotIpAddress",             "10.0.0.0/8",             "::ffff:10.1.2.3",            False),
    ("IpAddress",                "::ffff:10.0.0.0/104",    "10.1.2.3",                   True),
    ("IpAddress",                "::/0",                   "2001:db8::1",                True),
    ("ArnEquals",                "arn:aws:sqs:*:*:q",      "arn:aws:sqs:us-east-1:1:q",  True),
    ("ArnLike",                  "arn:aws:sqs:*:q",        "arn:aws:sqs:us-east-1:1:q",  False),
    ("ArnNotEquals",             "arn:aws:sqs:*:*:q",      "arn:aws:sqs:us-east-1:1:q",  False),
    ("ArnNotLike",               "arn:aws:sqs:*:*:p",      "arn:aws:sqs:us-east-1:1:q",  True),
    # many values
    ("StringEquals",             "a",                      ("a",),                       True),
    ("StringEqualsIfExists",     "a",                      ("a",),                       True),
    ("StringEqualsIfExists",     "a",                      ("b",),                       False),
    ("StringNotEquals",          "b",                      ("a",),                       True),
    ("StringEquals",             "a",                      ("a", "b"),                   False),
    ("StringNotEquals",          "c",                      ("a", "b"),                   False),
    ("ForAllValues:StringEquals", ["a", "b"],              ("b", "a"),                   True),
    ("ForAllValues:StringEquals", ["a", "b"],              ("a", "c"),                   False),
    ("ForAllValues:StringNotEquals", "b",                  ("a", "b"),                   False),
    ("ForAnyValue:StringEquals", ["a", "b"],               ("c", "a"),                   True),
    ("ForAnyValue:StringNotEquals", "b",                   ("a", "b"),                   True),
    ("ForAnyValue:StringLike",   "a*",                     "ab",                         True),
]  # fmt: skip

ABSENT = [
    # operator                              holds when the key is absent
    ("StringEquals",                        False),
    ("StringNotEquals",                     True),
    ("StringEqualsIfExists",                True),
    ("StringNotEqualsIfExists",             True),
    ("NumericLessThan",                     False),
    ("NotIpAddress",                        True),
    ("ArnNotLike",                          True),
    ("BoolIfExists",                        True),
    ("ForAllValues:StringEquals",           True),
    ("ForAnyValue:StringEquals",            False),
    ("ForAnyValue:StringNotEquals",         False),
    ("ForAnyValue:StringEqualsIfExists",    True),
]  # fmt: skip


SEVERAL = [
    # operator                   policy      request        holds in a Deny
    ("StringEquals",             "prot",     ("a", "prot"), True),
    ("StringLike",               "p*",       ("a", "prot"), True),
    ("StringEquals",             "prot",     ("a", "b"),    False),
    ("StringNotEquals",          "team",     ("team", "b"), True),
    ("StringNotEquals",          "team",     ("team",),     False),
    ("ForAllValues:StringEquals", "team",    ("team", "b"), False),
]  # fmt: skip


def holds(operator: str, wanted: object, value: Values | None, *, allows: bool = True) -> bool:
    context = {} if value is None else {"My:Key": value}
    compiled = compile_conditions({operator: {"my:kEY": wanted}}, allows=allows, variables=True)
    assert compiled is not None
    scope = Scope(Request(USER, "sqs:SendMessage", "*", "1", context))
    return all(condition.holds(scope) for condition in compiled)


@pytest.mark.parametrize(("operator", "wanted", "value", "expected"), VALUES)
def test_an_operator_compares_as_aws_says(
    operator: str, wanted: object, value: Values, expected: bool
) -> None:
    assert holds(operator, wanted, value) is expected


@pytest.mark.parametrize(("operator", "wanted", "value", "expected"), SEVERAL)
def test_several_values_without_a_set_operator_deny_and_never_allow(
    operator: str, wanted: str, value: Values, expected: bool
) -> None:
    assert holds(operator, wanted, value, allows=False) is expected
    assert not holds(operator, wanted, value) or len(value) == 1


@pytest.mark.parametrize(("operator", "expected"), ABSENT)
@pytest.mark.parametrize("value", [None, ()], ids=["absent", "empty set"])
def test_an_absent_key_means_what_its_operator_says(
    operator: str, expected: bool, value: Values | None
) -> None:
    assert holds(operator, "true", value) is expected


@pytest.mark.parametrize(
    ("wanted", "value", "expected"),
    [("true", None, True), ("true", "x", False), ("false", "x", True), ("false", None, False),
     (True, (), True), ("false", "", True)],
)  # fmt: skip
def test_null_asks_whether_the_key_is_there(wanted: object, value: Values | None, expected: bool) -> None:
    assert holds("Null", wanted, value) is expected


@pytest.mark.parametrize("name", ["StringFoo", "NullIfExists", "ForSomeValues:StringEquals", "IfExists", ""])
def test_what_is_no_operator_is_not_read(name: str) -> None:
    assert read_operator(name) is None
    assert compile_conditions({name: {"k": "v"}}, variables=True) is None


def test_every_operator_has_a_line_in_the_table_above() -> None:
    tried = {name.rpartition(":")[2].removesuffix("IfExists") for name, *_ in VALUES}
    assert {record.name for record in OPERATORS.values()} == tried


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("aws:PrincipalArn", "arn:aws:iam::1:user/ann"),
        ("aws:username", "ann"),
        ("aws:userid", "AIDAX"),
        ("aws:PrincipalTag/tEAM", "ml"),
        ("aws:PrincipalType", "User"),
        ("aws:PrincipalIsAWSService", "false"),
        ("aws:PrincipalAccount", "1"),
        ("aws:ResourceAccount", "2"),
        ("aws:PrincipalServiceName", None),
        ("aws:PrincipalTag/other", None),
        ("aws:SourceIp", None),
    ],
)
def test_keys_that_follow_from_the_request_need_not_be_given(key: str, expected: str | None) -> None:
    assert Scope(Request(USER, "sqs:SendMessage", "*", "2")).value(key.lower()) == expected


def test_a_key_that_is_given_wins_over_one_that_follows() -> None:
    given = Scope(Request(USER, "sqs:SendMessage", "*", "2", {"AWS:UserName": "bob"}))
    assert given.value("aws:username") == "bob"


def test_a_session_has_the_arn_of_its_role_and_no_user_name() -> None:
    session = Principal(
        "role", "arn:aws:sts::1:assumed-role/R/s", "1", "AROAX:s", "R", "arn:aws:iam::1:role/p/R"
    )
    scope = Scope(Request(session, "sqs:SendMessage", "*", "1"))
    assert scope.value("aws:principalarn") == "arn:aws:iam::1:role/p/R"
    assert scope.value("aws:username") is None
