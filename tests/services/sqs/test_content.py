"""What a message may be made of."""

import pytest

from passrole.faults import Fault
from passrole.services.sqs.content import (
    check_attributes,
    check_body,
    check_id,
    check_system_attributes,
    size,
)
from passrole.services.sqs.digests import AttributeValue

WORD: AttributeValue = {"DataType": "String", "StringValue": "x"}


@pytest.mark.parametrize(
    "body", ["x", "\t\n\r ", "\x20\ud7ff\ue000\ufffd", "\U00010000\U0010ffff", "x" * 9_999]
)
def test_every_character_of_xml_is_fine(body: str) -> None:
    check_body(body)


@pytest.mark.parametrize("body", ["\x00", "a\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_other_characters_are_refused(body: str) -> None:
    with pytest.raises(Fault) as caught:
        check_body(body)
    assert caught.value.code == "InvalidMessageContents"


def test_an_empty_body_counts_as_missing() -> None:
    with pytest.raises(Fault) as caught:
        check_body("")
    assert caught.value.code == "MissingParameter"
    assert caught.value.message == "The request must contain the parameter MessageBody."


@pytest.mark.parametrize("value", [None, "a", "A-1_~!", "x" * 128])
def test_a_good_group_id(value: str | None) -> None:
    check_id(value, "MessageGroupId")


@pytest.mark.parametrize("value", ["", "x" * 129, "a b", "ä", "a\n"])
def test_a_bad_group_id(value: str) -> None:
    with pytest.raises(Fault, match="for parameter MessageGroupId is invalid"):
        check_id(value, "MessageGroupId")


@pytest.mark.parametrize(
    "name, value",
    [
        ("a.b-c_D9", WORD),
        ("n", {"DataType": "Number.int", "StringValue": "-1.5e3"}),
        ("b", {"DataType": "Binary.png", "BinaryValue": b"\x00"}),
        ("x" * 256, WORD),
        ("größe", WORD),
        ("名前", WORD),
    ],
)
def test_good_attributes(name: str, value: AttributeValue) -> None:
    check_attributes({name: value})


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("", WORD, "non-empty message (user) attribute names"),
        ("x" * 257, WORD, "must be shorter than 256"),
        ("a b", WORD, "Invalid non-alphanumeric character"),
        ("a—b", WORD, "Invalid non-alphanumeric character"),
        ("AWS.x", WORD, "cannot start with"),
        ("amazon.x", WORD, "cannot start with"),
        (".x", WORD, "must not start or end with '.'"),
        ("x.", WORD, "must not start or end with '.'"),
        ("x..y", WORD, "successive '.'"),
        ("x", {}, "non-empty message attribute type"),
        ("x", {"DataType": "Text", "StringValue": "x"}, "invalid message attribute type"),
        ("x", {"DataType": "String"}, "non-empty message attribute value"),
        ("x", {"DataType": "String", "StringValue": ""}, "non-empty message attribute value"),
        ("x", {"DataType": "Binary", "StringValue": "x"}, "non-empty message attribute value"),
        ("x", {"DataType": "Number", "StringValue": "ten"}, "to a number"),
        ("x", {"DataType": "Number", "StringValue": "nan"}, "to a number"),
        ("x", {"DataType": "Number", "StringValue": "1e129"}, "to a number"),
    ],
)
def test_bad_attributes(name: str, value: AttributeValue, words: str) -> None:
    with pytest.raises(Fault) as caught:
        check_attributes({name: value})
    assert caught.value.code == "InvalidParameterValue"
    assert words in caught.value.message


def test_an_attributes_text_is_held_to_the_same_characters() -> None:
    with pytest.raises(Fault) as caught:
        check_attributes({"x": {"DataType": "String", "StringValue": "\x00"}})
    assert caught.value.code == "InvalidMessageContents"


def test_eleven_attributes_are_too_many() -> None:
    with pytest.raises(Fault) as caught:
        check_attributes({f"a{number}": WORD for number in range(11)})
    assert caught.value.message == "Number of message attributes [11] exceeds the allowed maximum [10]."


def test_the_trace_header_is_the_only_system_attribute() -> None:
    check_system_attributes({"AWSTraceHeader": WORD})
    for bad in ({"Other": WORD}, {"AWSTraceHeader": AttributeValue(DataType="Number", StringValue="1")}):
        with pytest.raises(Fault):
            check_system_attributes(bad)


def test_size_counts_the_body_and_all_of_the_attributes() -> None:
    binary: AttributeValue = {"DataType": "Binary", "BinaryValue": b"12345"}
    assert size("äb", {}) == 3
    assert size("äb", {"n": binary}) == 3 + 1 + 6 + 5
