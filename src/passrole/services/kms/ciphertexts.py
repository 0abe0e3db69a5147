"""What KMS encrypts: AES-GCM with 256 bits, the encryption context authenticated and not stored.

    version (1 byte) | id of the key (16) | nonce (12) | ciphertext and tag

It knows neither keys nor who may use them. `cryptography` is imported when the first key is used.
"""

import os
import uuid
from collections.abc import Mapping

import orjson

_VERSION = b"\x01"
_NONCE_BYTES = 12
_HEAD_BYTES = len(_VERSION) + 16


class BadCiphertext(Exception):
    """No ciphertext of this key, or one with another encryption context."""


def encrypted(material: bytes, key_id: str, plaintext: bytes, context: Mapping[str, str]) -> bytes:
    """The ciphertext."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    head, nonce = _VERSION + uuid.UUID(key_id).bytes, os.urandom(_NONCE_BYTES)
    return head + nonce + AESGCM(material).encrypt(nonce, plaintext, _authenticated(head, context))


def key_id_of(ciphertext: bytes) -> str:
    """The id of the key. Raises BadCiphertext."""
    if len(ciphertext) <= _HEAD_BYTES + _NONCE_BYTES or not ciphertext.startswith(_VERSION):
        raise BadCiphertext
    return str(uuid.UUID(bytes=ciphertext[len(_VERSION) : _HEAD_BYTES]))


def decrypted(material: bytes, ciphertext: bytes, context: Mapping[str, str]) -> bytes:
    """The plaintext. Raises BadCiphertext."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    head, rest = ciphertext[:_HEAD_BYTES], ciphertext[_HEAD_BYTES:]
    nonce, sealed = rest[:_NONCE_BYTES], rest[_NONCE_BYTES:]
    try:
        return AESGCM(material).decrypt(nonce, sealed, _authenticated(head, context))
    except InvalidTag:
        raise BadCiphertext from None


def _authenticated(head: bytes, context: Mapping[str, str]) -> bytes:
    return head + orjson.dumps(dict(context), option=orjson.OPT_SORT_KEYS)
