"""Which condition keys a document asks for."""

from typing import Any

import pytest

from passrole.policy.context_keys import context_keys

NEW, OLD = "2012-10-17", "2008-10-17"
CASES: list[tuple[str, str, dict[str, Any], list[str]]] = [
    ("conditions", NEW, {"Condition": {"Bool": {"aws:SecureTransport": True}}}, ["aws:SecureTransport"]),
    ("a variable in a resource", NEW, {"Resource": "arn:${aws:username}/*"}, ["aws:username"]),
    (
        "a variable in each of several",
        NEW,
        {"NotResource": ["${a:b}", "${c:d}${e:f}"]},
        ["a:b", "c:d", "e:f"],
    ),
    ("a variable with a default", NEW, {"Resource": "${aws:PrincipalTag/x, 'd'}"}, ["aws:PrincipalTag/x"]),
    ("escapes are letters", NEW, {"Resource": "${*}${?}${$}"}, []),
    ("an open brace is text", NEW, {"Resource": "${aws:username"}, []),
    ("no variables in old documents", OLD, {"Resource": "${aws:username}"}, []),
    ("old documents have conditions", OLD, {"Condition": {"StringEquals": {"a:b": "${c:d}"}}}, ["a:b"]),
    ("values of conditions", NEW, {"Condition": {"StringLike": {"a:b": ["${c:d}", 1]}}}, ["a:b", "c:d"]),
    ("one key in two spellings", NEW, {"Resource": "${A:b}", "Condition": {"Null": {"a:B": True}}}, ["A:b"]),
]


@pytest.mark.parametrize("title, version, statement, keys", CASES, ids=[case[0] for case in CASES])
def test_keys_are_told_as_they_are_written(
    title: str, version: str, statement: dict[str, Any], keys: list[str]
) -> None:
    assert context_keys({"Version": version, "Statement": statement}) == [keys]
    assert context_keys({"Version": version, "Statement": [{}, statement]}) == [[], keys]
