"""Callback tokens: ten letters and digits, drawn from the execution's seed.

Not random, so that deciding again after a crash gives the same token; the seed is 128 bits that
nobody sees, so a token cannot be guessed from another one.
"""

import hashlib
import string

_ALPHABET = string.digits + string.ascii_letters
_LENGTH = 10


def callback_token(seed: str, step: str, attempt: int) -> str:
    """The token of one attempt of a Callback step; AWS's pattern is `[a-zA-Z0-9]{10}`."""
    digest = hashlib.sha256(f"{seed}/{step}/{attempt}".encode()).digest()
    number = int.from_bytes(digest, "big")
    characters = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[digit])
    return "".join(characters)
