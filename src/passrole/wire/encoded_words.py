"""Non-ASCII metadata in S3's headers: RFC 2047's encoded words, `=?UTF-8?B?w6k=?=`.

S3 decodes such words before it stores a value and encodes non-ASCII values in responses: Q if most letters
are ASCII, else B. A value sent as raw UTF-8 is read as latin-1, so it is returned as the encoded words of
that: the guide's example `\u00c4M\u00c4Z\u00d5\u00d1 S3` comes back as
`=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?=`.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
"""

import base64
import codecs
from email.errors import HeaderParseError
from email.header import decode_header

WORD_LENGTH_MAX = 75
DECODED_CHARS_MAX = 16_384
"""Metadata has at most 2 KB, and its words a few times that; decoding takes quadratic time."""
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})
"""Python codecs that are not charsets of mail: escapes and host names; UTF-7 can encode half a letter."""
_AROUND = len("=?UTF-8?B??=")
_AS_THEY_ARE = frozenset(range(33, 127)) - frozenset(b"=?_")


def decoded(text: str) -> str:
    """The value with its encoded words decoded; unchanged if one of them is invalid."""
    if "=?" not in text or len(text) > DECODED_CHARS_MAX:
        return text
    try:
        return "".join(
            part if isinstance(part, str) else _text(part, charset or "latin-1")
            for part, charset in decode_header(text)
        )
    except (HeaderParseError, LookupError, ValueError):
        return text


def encoded(text: str) -> str:
    """The value as encoded words of at most 75 letters; unchanged if it is ASCII."""
    if text.isascii():
        return text
    ascii_letters = sum(letter.isascii() for letter in text)
    return " ".join(_words(text, in_q=ascii_letters * 2 > len(text)))


def _text(part: bytes, charset: str) -> str:
    """Raises LookupError, ValueError."""
    if codecs.lookup(charset).name.replace("_", "-") in _NO_CHARSETS:
        raise LookupError(charset)
    return part.decode(charset)


def _words(text: str, *, in_q: bool) -> list[str]:
    raw = text.encode("utf-8", "replace")
    word = "".join(map(_q, raw)) if in_q else base64.b64encode(raw).decode("ascii")
    if len(word) + _AROUND > WORD_LENGTH_MAX and len(text) > 1:
        half = len(text) // 2
        return _words(text[:half], in_q=in_q) + _words(text[half:], in_q=in_q)
    return [f"=?UTF-8?{'Q' if in_q else 'B'}?{word}?="]


def _q(byte: int) -> str:
    if byte == ord(" "):
        return "_"
    return chr(byte) if byte in _AS_THEY_ARE else f"={byte:02X}"
