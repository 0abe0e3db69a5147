"""What a row carries beside its body comes back as it went in."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.services.sqs.digests import AttributeValue
from passrole.services.sqs.envelope import MessageEnvelope, pack, selected_attributes, unpack

WORDS: dict[str, AttributeValue] = {
    name: {"DataType": "String", "StringValue": "x"} for name in ("Hello", "Help.Me", "General")
}


@given(st.binary(min_size=1), st.none() | st.text(min_size=1))
def test_packing_loses_nothing(binary: bytes, group: str | None) -> None:
    attributes: dict[str, AttributeValue] = {"b": {"DataType": "Binary", "BinaryValue": binary}, **WORDS}
    about = MessageEnvelope("AIDA", "digest", attributes=attributes, group=group, source="arn")
    assert unpack(pack(about)) == about


@pytest.mark.parametrize(
    "names, expected",
    [
        ([], []),
        (["All"], ["General", "Hello", "Help.Me"]),
        ([".*"], ["General", "Hello", "Help.Me"]),
        (["*"], ["General", "Hello", "Help.Me"]),
        (["Hello", "Foo"], ["Hello"]),
        (["Hel.*"], ["Hello", "Help.Me"]),
        (["Help.*"], ["Help.Me"]),
        (["hello", "AWS.", ""], []),
    ],
)
def test_a_receiver_chooses_by_name_or_prefix(names: Sequence[str], expected: list[str]) -> None:
    assert sorted(selected_attributes(WORDS, names)) == expected
