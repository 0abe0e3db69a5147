"""Encoded words of RFC 2047, as S3 reads and writes them in metadata."""

from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.wire import encoded_words

NO_CHARSETS = [
    "=?undefined?Q?a?=",
    "=?idna?Q?xn--a=FF?=",
    "=?punycode?Q?a-b?=",
    "=?utf-7?Q?+2AA-?=",
    "=?raw_unicode_escape?Q?=5Cud800?=",
    "=?UNICODE-ESCAPE?Q?=5Cx41?=",
    "=?a\0b?Q?a?=",
]


def test_the_guides_example_comes_back_as_the_guide_shows_it() -> None:
    arrived = "\u00c4M\u00c4Z\u00d5\u00d1 S3".encode().decode("latin-1")
    assert encoded_words.encoded(encoded_words.decoded(arrived)) == "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?="


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("plain = text?", "plain = text?"),
        ("a caf\u00e9_", "=?UTF-8?Q?a_caf=C3=A9=5F?="),
        ("\u00e9", "=?UTF-8?B?w6k=?="),
        ("\u4f60\u597da", "=?UTF-8?B?5L2g5aW9YQ==?="),
    ],
)
def test_a_value_is_written_as_a_word_where_it_is_not_ascii(text: str, word: str) -> None:
    assert encoded_words.encoded(text) == word
    assert encoded_words.decoded(word) == text


@pytest.mark.parametrize(
    "text",
    [
        "=?",
        "=?x?Q?a?=",
        *NO_CHARSETS,
        "=?q?" * 10_000 + "?=",
        "=?UTF-8?B?w6?=",
        "=?UTF-8?Q?=FF?=",
        "a =? b ?=",
    ],
)
def test_what_is_no_word_stays_as_it_is(text: str) -> None:
    assert encoded_words.decoded(text) == text


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300))
def test_every_value_comes_back_in_words_of_75_letters_at_most(text: str) -> None:
    written = encoded_words.encoded(text)
    assert written.isascii()
    if text.isascii():
        return
    assert all(len(word) <= 75 for word in written.split(" "))
    assert str(make_header(decode_header(written))) == text == encoded_words.decoded(written)
