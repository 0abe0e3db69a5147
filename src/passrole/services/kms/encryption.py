"""GenerateDataKey, GenerateDataKeyWithoutPlaintext, Encrypt, Decrypt, ReEncrypt."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from passrole.policy.request import Values
from passrole.services.context import Context
from passrole.services.kms import ciphertexts, records, refusals
from passrole.services.kms.authorisation import key_arn, key_policies, keys_of, named_key_keys, policies_of
from passrole.services.kms.ciphertexts import BadCiphertext
from passrole.services.kms.records import MATERIALS, Key, Meant
from passrole.services.operation import Parameters, Permission, operation

ALGORITHM = "SYMMETRIC_DEFAULT"
_BYTES = {"AES_256": 32, "AES_128": 16}
_ALGORITHM_KEYS: Mapping[str, Values] = {"kms:EncryptionAlgorithm": ALGORITHM}
_IGNORED = ("grant_tokens",)


async def _encryption_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    return {**await named_key_keys(ctx, parameters), **_ALGORITHM_KEYS}


async def _source(ctx: Context, ciphertext: bytes) -> Meant:
    """The key of a ciphertext. Raises InvalidCiphertextException."""
    try:
        return await records.meant(ctx, ciphertexts.key_id_of(ciphertext))
    except BadCiphertext:
        raise refusals.bad_ciphertext() from None


async def _named_source(ctx: Context, ciphertext: bytes, named: str | None) -> Meant:
    """The key of a ciphertext, with the alias by which the call names it, if it does."""
    source = await _source(ctx, ciphertext)
    return source if named is None else source._replace(alias=(await records.meant(ctx, named)).alias)


async def _its_arn(ctx: Context, parameters: Parameters) -> str:
    return (await _source(ctx, parameters["ciphertext_blob"])).arn


async def _its_policies(ctx: Context, parameters: Parameters) -> Sequence[str]:
    return await policies_of(ctx, await _source(ctx, parameters["ciphertext_blob"]))


async def _decryption_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    source = await _named_source(ctx, parameters["ciphertext_blob"], parameters.get("key_id"))
    return {**await keys_of(ctx, source, parameters), **_ALGORITHM_KEYS}


async def _re_encryption_keys(ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    source = await _named_source(ctx, parameters["ciphertext_blob"], parameters.get("source_key_id"))
    target = await records.meant(ctx, parameters["destination_key_id"])
    same = {"kms:ReEncryptOnSameKey": "true" if source.arn == target.arn else "false"}
    given = {"encryption_context": parameters.get("source_encryption_context")}
    return {**await keys_of(ctx, source, given), **_ALGORITHM_KEYS, **same}


async def _to_target(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    source = await _source(ctx, parameters["ciphertext_blob"])
    target = await records.meant(ctx, parameters["destination_key_id"])
    same = {"kms:ReEncryptOnSameKey": "true" if source.arn == target.arn else "false"}
    given = {"encryption_context": parameters.get("destination_encryption_context")}
    keys = {**await keys_of(ctx, target, given), **_ALGORITHM_KEYS, **same}
    return [Permission("kms:ReEncryptTo", target.arn, keys, tuple(await policies_of(ctx, target)) or None)]


@operation(
    "kms:GenerateDataKey",
    resource=key_arn,
    keys=_encryption_keys,
    resource_policy=key_policies,
    ignores=_IGNORED,
)
async def generate_data_key(
    ctx: Context,
    *,
    key_id: str,
    encryption_context: Mapping[str, str] | None = None,
    number_of_bytes: int | None = None,
    key_spec: str | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """A new data key, in plain and encrypted."""
    return await _data_key(ctx, key_id, encryption_context, number_of_bytes, key_spec, dry_run)


@operation(
    "kms:GenerateDataKeyWithoutPlaintext",
    resource=key_arn,
    keys=_encryption_keys,
    resource_policy=key_policies,
    ignores=_IGNORED,
)
async def generate_data_key_without_plaintext(
    ctx: Context,
    *,
    key_id: str,
    encryption_context: Mapping[str, str] | None = None,
    number_of_bytes: int | None = None,
    key_spec: str | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """A new data key, encrypted."""
    answer = await _data_key(ctx, key_id, encryption_context, number_of_bytes, key_spec, dry_run)
    del answer["Plaintext"]
    return answer


@operation(
    "kms:Encrypt",
    resource=key_arn,
    keys=_encryption_keys,
    resource_policy=key_policies,
    ignores=_IGNORED,
)
async def encrypt(
    ctx: Context,
    *,
    key_id: str,
    plaintext: bytes,
    encryption_context: Mapping[str, str] | None = None,
    encryption_algorithm: str = ALGORITHM,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Encrypt up to 4,096 bytes."""
    _check_algorithm(encryption_algorithm)
    key = await records.usable(ctx, key_id)
    _check_dry_run(dry_run)
    blob = await _encrypted(ctx, key, plaintext, encryption_context)
    return {"CiphertextBlob": blob, "KeyId": key.arn, "EncryptionAlgorithm": ALGORITHM}


@operation(
    "kms:Decrypt",
    resource=_its_arn,
    keys=_decryption_keys,
    resource_policy=_its_policies,
    ignores=_IGNORED,
)
async def decrypt(
    ctx: Context,
    *,
    ciphertext_blob: bytes,
    encryption_context: Mapping[str, str] | None = None,
    key_id: str | None = None,
    encryption_algorithm: str = ALGORITHM,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Decrypt, with the same encryption context."""
    _check_algorithm(encryption_algorithm)
    key = await _usable_source(ctx, ciphertext_blob, key_id)
    plaintext = await _decrypted(ctx, key, ciphertext_blob, encryption_context)
    _check_dry_run(dry_run)
    return {"KeyId": key.arn, "Plaintext": plaintext, "EncryptionAlgorithm": ALGORITHM}


@operation(
    "kms:ReEncryptFrom",
    resource=_its_arn,
    keys=_re_encryption_keys,
    resource_policy=_its_policies,
    also=_to_target,
    ignores=_IGNORED,
)
async def re_encrypt(
    ctx: Context,
    *,
    ciphertext_blob: bytes,
    destination_key_id: str,
    source_encryption_context: Mapping[str, str] | None = None,
    source_key_id: str | None = None,
    destination_encryption_context: Mapping[str, str] | None = None,
    source_encryption_algorithm: str = ALGORITHM,
    destination_encryption_algorithm: str = ALGORITHM,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Decrypt and encrypt by another key, or with another context; the plaintext does not leave."""
    _check_algorithm(source_encryption_algorithm)
    _check_algorithm(destination_encryption_algorithm)
    source = await _usable_source(ctx, ciphertext_blob, source_key_id)
    target = await records.usable(ctx, destination_key_id)
    plaintext = await _decrypted(ctx, source, ciphertext_blob, source_encryption_context)
    _check_dry_run(dry_run)
    return {
        "CiphertextBlob": await _encrypted(ctx, target, plaintext, destination_encryption_context),
        "SourceKeyId": source.arn,
        "KeyId": target.arn,
        "SourceEncryptionAlgorithm": ALGORITHM,
        "DestinationEncryptionAlgorithm": ALGORITHM,
    }


async def _data_key(
    ctx: Context,
    key_id: str,
    context: Mapping[str, str] | None,
    number_of_bytes: int | None,
    key_spec: str | None,
    dry_run: bool,
) -> dict[str, Any]:
    if (number_of_bytes is None) == (key_spec is None):
        raise refusals.invalid("Please specify either number of bytes or key spec.")
    length = number_of_bytes if key_spec is None else _BYTES[key_spec]
    key = await records.usable(ctx, key_id)
    _check_dry_run(dry_run)
    plaintext = os.urandom(length or 0)
    blob = await _encrypted(ctx, key, plaintext, context)
    return {"CiphertextBlob": blob, "Plaintext": plaintext, "KeyId": key.arn}


async def _usable_source(ctx: Context, ciphertext: bytes, named: str | None) -> Key:
    source = await _source(ctx, ciphertext)
    if source.key is None:
        raise refusals.unknown_ciphertext()
    if named is not None and (await records.meant(ctx, named)).arn != source.arn:
        raise refusals.other_key()
    return await records.usable(ctx, source.arn)


async def _encrypted(ctx: Context, key: Key, plaintext: bytes, context: Mapping[str, str] | None) -> bytes:
    material = await _material(ctx, key)
    return ciphertexts.encrypted(material, key.id, plaintext, context or {})


async def _decrypted(ctx: Context, key: Key, ciphertext: bytes, context: Mapping[str, str] | None) -> bytes:
    try:
        return ciphertexts.decrypted(await _material(ctx, key), ciphertext, context or {})
    except BadCiphertext:
        raise refusals.bad_ciphertext() from None


async def _material(ctx: Context, key: Key) -> bytes:
    found = await ctx.store.read(lambda tx: MATERIALS.require(tx, key.key, lambda: refusals.no_key(key.arn)))
    return found.bytes


def _check_algorithm(algorithm: str) -> None:
    if algorithm != ALGORITHM:
        raise refusals.unsupported(f"{algorithm}: its keys are symmetric")


def _check_dry_run(dry_run: bool) -> None:
    if dry_run:
        raise refusals.dry_run()
