"""Nothing that arrives gets anything out of this floor but parameters or a Fault."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from passrole.faults import Fault
from passrole.wire import HttpRequest, Route, constraints, parse, render_fault, route, sigv4

FORM = "application/x-www-form-urlencoded"
_latin = st.text(st.characters(max_codepoint=255))
_names = st.sampled_from(
    ["Tags", "member", "1", "2", "Key", "Value", "Entries", "Attribute", "entry", "RoleName", "x", ""]
)
_bits = st.sampled_from(["%", "%ff", "%ed%a0%80", "&", "=", ".", "+", "a", "%00", "99999999999999999999999"])
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names | st.text(max_size=3), inner),
    max_leaves=8,
)
ROUTES = [
    Route("sqs", "SendMessageBatch", "json", {}),
    Route("sqs", "SendMessageBatch", "query", {}),
    Route("iam", "TagRole", "query", {}),
    Route("sagemaker", "CreatePipeline", "json", {}),
    Route("emr", "RunJobFlow", "json", {}),
    Route("lambda", "CreateFunction", "rest-json", {}),
    Route("lambda", "ListFunctions", "rest-json", {}),
    Route("s3", "DeleteObjects", "rest-xml", {"Bucket": "b"}),
    Route("s3", "ListObjectsV2", "rest-xml", {"Bucket": "b"}),
]


def read(found: Route, request: HttpRequest) -> None:
    """Parse, check, and render whatever comes of it."""
    with contextlib.suppress(Fault):
        constraints.fault(found.service, found.operation, parse(found, request))


@settings(max_examples=60, deadline=None)
@given(body=st.binary(), query=_latin, found=st.sampled_from(ROUTES))
def test_random_bytes_are_refused_or_read(body: bytes, query: str, found: Route) -> None:
    read(found, HttpRequest("POST", "/", query, {"content-type": FORM}, body))


@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(st.lists(_names, max_size=5).map(".".join), st.lists(_bits).map("".join))))
def test_random_forms_are_refused_or_read(pairs: list[tuple[str, str]]) -> None:
    body = "&".join(f"{name}={value}" for name, value in pairs).encode()
    for found in ROUTES[1:3]:
        read(found, HttpRequest("POST", "/", "", {"content-type": FORM}, body))


@settings(max_examples=60, deadline=None)
@given(value=_json, name=st.sampled_from(["Tags", "Entries", "PipelineName", "Instances", "Code", "Timeout"]))
def test_random_json_values_are_refused_or_read(value: Any, name: str) -> None:
    body = json.dumps({name: value}).encode()
    for found in ROUTES:
        if "json" in found.protocol:
            read(found, HttpRequest("POST", "/", "", {}, body))


@settings(max_examples=60, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "x"]),
    path=st.text(st.sampled_from("/%aF2.~é{}"), max_size=20),
    query=_latin,
    headers=st.dictionaries(
        st.sampled_from(
            ["x-amz-target", "content-type", "authorization", "x-amz-date", "host", "x-amz-content-sha256"]
        ),
        _latin
        | st.sampled_from(
            [
                FORM,
                "b.localhost:1",
                "s3.r.amazonaws.com",
                "AmazonSQS.X",
                "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, x=y",
            ]
        ),
    ),
    body=st.binary(),
    signing_service=st.none() | st.sampled_from(["sqs", "iam", "lambda", "s3", "nonsense"]),
)
@example("POST", "/2015-03-31/functions/%ff/invocations", "", {}, b"", "lambda")
@example("GET", "/b/%ff", "", {}, b"", "s3")
@example("GET", "/b", "X-Amz-Signature=%ff", {}, b"", None)
@example("POST", "/", "", {"content-type": FORM}, b"Action=%ff", "iam")
@example("POST", "/", "", {"content-type": FORM}, b"Action=a&Action=b", "iam")
def test_random_requests_are_routed_or_refused(
    method: str, path: str, query: str, headers: dict[str, str], body: bytes, signing_service: str | None
) -> None:
    request = HttpRequest(method, path, query, headers, body)
    for attempt in (lambda: route(request, signing_service), lambda: sigv4.parse_authorization(request)):
        try:
            attempt()
        except Fault as fault:
            assert render_fault(None, fault, "r").status in (400, 403, 404, 405)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"Instances":{"InstanceGroups":' + b"[" * 5000 + b"]" * 5000 + b"}}",
        b'{"Configurations":' + b'[{"Configurations":' * 300 + b"[]" + b"}]" * 300 + b"}",
        b'{"Name":"\\ud800"}',
        b'{"StepConcurrencyLevel":1e400}',
        b'{"StepConcurrencyLevel":99999999999999999999}',
        b'{"StepConcurrencyLevel":true}',
        b'{"StepConcurrencyLevel":"1"}',
        b'{"Name":1}',
        b'{"Name":{}}',
        b'{"Tags":{}}',
    ],
)
def test_a_body_that_is_not_the_operations_is_a_serialization_exception(body: bytes) -> None:
    with pytest.raises(Fault) as caught:
        parse(Route("emr", "RunJobFlow", "json", {}), HttpRequest("POST", "/", "", {}, body))
    assert caught.value.code == "SerializationException"
    assert "orjson" not in caught.value.message
    assert "Traceback" not in caught.value.message


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"Action=TagRole&RoleName=a&RoleName=b", "MalformedQueryString"),
        (b"Action=TagRole&RoleName=%ff", "MalformedQueryString"),
        (b"Action=TagRole&RoleName=\xc3\xbc", "MalformedQueryString"),
        (b"&" * 30_000, "MalformedQueryString"),
        (b"Action=TagRole&Tags=x", "MalformedInput"),
        (b"Action=TagRole&Tags.member.x.Key=a", "MalformedInput"),
        (b"Action=TagRole&Tags.member.1.Key=a&Tags.member.1.Key.b=c", "MalformedInput"),
        (b"Action=TagRole&Tags.member.1.Key.b=c&Tags.member.1.Key=a", "MalformedInput"),
        (b"Action=TagRole&" + b"a." * 100 + b"b=c", "MalformedInput"),
        (b"Action=TagRole&Tags.member." + b"9" * 5000 + b".Key=a", "MalformedInput"),
    ],
)
def test_a_form_that_can_be_read_in_two_ways_or_none_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(Fault) as caught:
        parse(Route("iam", "TagRole", "query", {}), HttpRequest("POST", "/", "", {}, body))
    assert caught.value.code == code


_elements = st.sampled_from(["Delete", "Object", "Key", "Quiet", "Size", "LastModifiedTime", "x"])
_xml = st.recursive(
    st.sampled_from(["", "k", "true", "1", "&amp;", "2026-01-31T12:00:00Z"]),
    lambda inner: st.lists(st.tuples(_elements, inner), max_size=3).map(
        lambda parts: "".join(f"<{name}>{text}</{name}>" for name, text in parts)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(content=_xml)
def test_random_xml_is_refused_or_read(content: str) -> None:
    for found in ROUTES[-2:]:
        read(found, HttpRequest("POST", "/", "", {}, f"<Delete>{content}</Delete>".encode()))


@pytest.mark.parametrize(
    "body",
    [
        b"<Delete>",
        b"Delete",
        b"\xff\xfe<\x00",
        b"<!DOCTYPE Delete><Delete><Object><Key>k</Key></Object></Delete>",
        b'<!DOCTYPE D [<!ENTITY a "aaaa">]><Delete><Object><Key>&a;</Key></Object></Delete>',
        b"<Delete>" + b"<Object>" * 5000 + b"</Object>" * 5000 + b"</Delete>",
        b"<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>",
        b"<Delete><Object><Key><b/></Key></Object></Delete>",
        b"<Delete><Object><Key>a</Key><Size>x</Size></Object></Delete>",
        b"<Delete><Quiet>perhaps</Quiet></Delete>",
        b'<?xml version="1.0" encoding="nonsense"?><Delete>',
    ],
)
def test_xml_that_cannot_be_read_or_in_two_ways_is_refused(body: bytes) -> None:
    found = Route("s3", "DeleteObjects", "rest-xml", {"Bucket": "b"})
    with pytest.raises(Fault) as caught:
        parse(found, HttpRequest("POST", "/b", "delete", {}, body))
    assert caught.value.code == "MalformedXML"


def test_null_is_absence() -> None:
    request = HttpRequest("POST", "/", "", {}, b'{"Name":null,"Tags":[{"Key":null,"Value":"v"}]}')
    assert parse(Route("emr", "RunJobFlow", "json", {}), request) == {"Tags": [{"Value": "v"}]}


def test_what_belongs_in_the_path_is_not_taken_from_the_body() -> None:
    request = HttpRequest("PUT", "/", "", {}, b'{"FunctionName":"other","Timeout":3}')
    found = Route("lambda", "UpdateFunctionConfiguration", "rest-json", {"FunctionName": "mine"})
    assert parse(found, request) == {"FunctionName": "mine", "Timeout": 3}
