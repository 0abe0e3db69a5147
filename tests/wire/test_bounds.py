"""What a request may hold is counted before it is parsed: values, tags, parts of names, chunks, bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.faults import Fault
from passrole.wire import HttpRequest, Route, body_limits, parse, render_fault, xml_reader
from passrole.wire.descriptions import SERVICES, operations
from passrole.wire.forms import (
    LONG_CHARS,
    QUERY_PAIRS_MAX,
    form_parameters,
    named_parameters,
    query_parameters,
)
from passrole.wire.json_values import DEPTH_MAX, VALUES_MAX, has_more_values, load
from passrole.wire.query import DOTS_MAX
from passrole.wire.scalars import PIECE_CHARS, read_blob, write_blob

_values = st.recursive(
    st.none() | st.integers() | st.text('ab,[]{}"\\\n é', max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(',"\\[', max_size=3), inner),
    max_leaves=30,
)


def _marks(value: object) -> int:
    """Commas and opening brackets of a value as JSON writes it, outside of its texts."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(0, len(value) - 1) + sum(map(_marks, inner))
    return 0


@given(_values)
def test_values_are_counted_and_what_stands_in_texts_is_not(value: object) -> None:
    body = json.dumps(value).encode()
    assert not has_more_values(body, _marks(value))
    if _marks(value):
        assert has_more_values(body, _marks(value) - 1)


def test_a_text_may_hold_any_number_of_commas() -> None:
    assert load(json.dumps({"a": ",[{" * VALUES_MAX + '"\\'}).encode())["a"].startswith(",[{")


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":[' + b"[]," * VALUES_MAX + b"[]]}",
        b'{"a":{' + b",".join(b'"%d":1' % number for number in range(VALUES_MAX + 2)) + b"}}",
        b'{"a":' * (DEPTH_MAX + 1) + b"1" + b"}" * (DEPTH_MAX + 1),
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b'{"a":"' + b"," * (VALUES_MAX + 1),
    ],
    ids=["containers", "keys", "deep", "deeper than the library", "no end"],
)
def test_too_many_values_or_levels_are_no_body(body: bytes) -> None:
    with pytest.raises(Fault) as caught:
        load(body)
    assert caught.value.code == "SerializationException"


@pytest.mark.parametrize(
    "body",
    [
        b"<a>" + b"<b/>" * xml_reader.TAGS_MAX + b"</a>",
        b"<a " + b'b="c" ' * xml_reader.TAG_BYTES_MAX + b"/>",
        b"<a>" * 1_000 + b"</a>" * 1_000,
    ],
    ids=["tags", "a tag without end", "deep"],
)
def test_xml_has_bounds(body: bytes) -> None:
    with pytest.raises(Fault) as caught:
        xml_reader.load(body)
    assert caught.value.code == "MalformedXML"


def test_ten_thousand_parts_with_checksums_are_read() -> None:
    part = "<Part><ETag>{0}</ETag><PartNumber>{0}</PartNumber><ChecksumSHA256>{0}</ChecksumSHA256></Part>"
    body = "".join(part.format(number) for number in range(1, 10_001))
    request = HttpRequest("POST", "/b/k", "uploadId=u", {}, f"<C>{body}</C>".encode())
    found = parse(Route("s3", "CompleteMultipartUpload", "rest-xml", {"Bucket": "b", "Key": "k"}), request)
    assert len(found["MultipartUpload"]["Parts"]) == 10_000


def _form(body: bytes, query: str = "") -> HttpRequest:
    return HttpRequest("POST", "/", query, {}, body)


def test_names_of_many_parts_are_bounded_together() -> None:
    body = b"&".join(b"A.%d" % number + b".a" * 35 + b"=a" for number in range(DOTS_MAX // 35))
    with pytest.raises(Fault) as caught:
        parse(Route("sqs", "SendMessage", "query", {}), _form(body))
    assert caught.value.code == "MalformedInput"


def test_a_query_string_has_fewer_parameters_than_a_form() -> None:
    text = "&".join(f"a{number}=1" for number in range(QUERY_PAIRS_MAX + 1))
    assert len(form_parameters(_form(text.encode()))) == QUERY_PAIRS_MAX + 1
    with pytest.raises(Fault) as caught:
        query_parameters(text)
    assert caught.value.code == "MalformedQueryString"


@given(st.text("a+ %é&=", max_size=6))
def test_a_long_value_is_decoded_as_a_short_one(text: str) -> None:
    written = text.replace("%", "%25").replace("&", "%26").replace("=", "%3D").replace("é", "%C3%a9")
    count = LONG_CHARS // max(1, len(written)) + 1
    long = named_parameters(_form(b"A=" + (written * count).encode()), ("A",))["A"]
    short = named_parameters(_form(b"A=" + written.encode()), ("A",))["A"]
    assert long == short * count


@pytest.mark.parametrize("value", ["%", "%zz", "%4", "a%+"])
def test_what_is_no_escape_stays_in_a_long_value_too(value: str) -> None:
    text = "a" * LONG_CHARS
    assert form_parameters(_form(f"A={text}{value}".encode()))["A"] == text + value.replace("+", " ")


def test_a_long_value_that_is_no_utf_8_is_refused() -> None:
    with pytest.raises(Fault):
        form_parameters(_form(b"A=" + b"%ff" * LONG_CHARS))


def test_the_action_is_found_however_it_is_written_and_only_once() -> None:
    found = named_parameters(_form(b"B=%zz&%41ction=TagRole&Version=1"), ("Action", "Version"))
    assert found == {"Action": "TagRole", "Version": "1"}
    with pytest.raises(Fault):
        named_parameters(_form(b"%41ction=TagRole", "Action=TagRole"), ("Action",))


@pytest.mark.parametrize("size", [PIECE_CHARS // 4 * 3 - 1, PIECE_CHARS, 2 * PIECE_CHARS + 1])
def test_a_long_blob_is_read_in_pieces(size: int) -> None:
    blob = b"\xfb\xff" * (size // 2) + b"x" * (size % 2)
    assert read_blob(write_blob(blob)) == blob


@pytest.mark.parametrize("spoilt", ["=", "\n", "é", "A"])
def test_a_long_blob_that_is_no_base64_is_refused(spoilt: str) -> None:
    text = "A" * PIECE_CHARS + "AAAA"
    with pytest.raises(ValueError):
        read_blob(text[:1_000] + spoilt + text[1_000:])


def test_every_limit_is_of_an_operation_that_there_is() -> None:
    for service in SERVICES:
        for operation in operations(service):
            assert 65_536 < body_limits.bytes_max(service, operation) <= body_limits.LAMBDA_BYTES_MAX
        assert max(
            body_limits.bytes_max(service, each) for each in operations(service)
        ) >= body_limits.bytes_max(service)
    assert {service for service, _ in body_limits.LARGER} <= set(SERVICES)
    assert all(operation in operations(service) for service, operation in body_limits.LARGER)


def test_the_layer_before_a_service_says_too_long_in_plain_text() -> None:
    found = Route("sqs", "SendMessage", "json", {})
    answer = render_fault(found, body_limits.too_large(found, 5), "r")
    assert (answer.status, answer.body) == (413, b"HTTP content length exceeded 5 bytes.")
    assert ("content-type", "text/plain") in answer.headers


@pytest.mark.parametrize(
    ("protocol", "status", "code"),
    [
        ("json", 400, b"ThrottlingException"),
        ("query", 400, b"<Code>Throttling</Code>"),
        ("rest-json", 429, b"TooManyRequestsException"),
        ("rest-xml", 503, b"<Code>SlowDown</Code>"),
    ],
)
def test_a_full_house_is_said_in_words_on_which_clients_try_again(
    protocol: str, status: int, code: bytes
) -> None:
    answer = render_fault(None, body_limits.busy(protocol), "r")  # type: ignore[arg-type]
    said = answer.body + b"".join(f"{name}: {value}\n".encode() for name, value in answer.headers)
    assert answer.status == status and code in said
