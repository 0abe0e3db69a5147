"""The KMS keys of volumes and model packages; what a job leaves in S3 has a key of S3's.

A volume's key needs a grant. A job's own role is asked for it, and where that may not, whoever creates the
job; for an endpoint who deploys it. No volume is encrypted here, and no grant is kept: KMS is asked whether
it would make one (DryRun). Who registers a model package with a key makes and decrypts a data key.
https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
"""

from collections.abc import Mapping
from typing import Any

from passrole.faults import Fault
from passrole.policy.request import Principal
from passrole.policy.sagemaker_keys import values_at
from passrole.services.context import Context
from passrole.services.sagemaker.roles import SERVICE

_OF_JOBS = (
    "ResourceConfig.VolumeKmsKeyId",
    "HyperParameterTuningResourceConfig.VolumeKmsKeyId",
    "ProcessingResources.ClusterConfig.VolumeKmsKeyId",
    "TransformResources.VolumeKmsKeyId",
)
_OF_PACKAGES = "SecurityConfig.KmsKeyId"
_OPERATIONS = ["Decrypt", "GenerateDataKeyWithoutPlaintext", "CreateGrant", "DescribeKey"]
_DENIED, _WOULD_SUCCEED = "AccessDeniedException", "DryRunOperationException"


async def check_volumes(ctx: Context, request: Mapping[str, Any], own_role: Principal) -> None:
    """Refuse a job whose volumes have a key that neither its role nor the caller may have used.

    Raises AccessDeniedException, and ValidationException for a key that is not there or cannot be used.
    """
    for path in _OF_JOBS:
        for key in filter(None, values_at(request, path)):
            try:
                await _kms(ctx, "DescribeKey", {"KeyId": key}, own_role)
                await _check_grant(ctx, key, own_role)
            except Fault as fault:
                if fault.code != _DENIED:
                    raise
                await _check_grant(ctx, key, ctx.principal)


async def check_endpoint(ctx: Context, key: str | None) -> None:
    """Refuse a caller who may not have the key of an endpoint's volumes used. Raises as `check_volumes`."""
    if key:
        await _check_grant(ctx, key, ctx.principal)


async def check_package(ctx: Context, request: Mapping[str, Any]) -> None:
    """Refuse a caller who may not use the key of a new model package. Raises as `check_volumes`."""
    for key in filter(None, values_at(request, _OF_PACKAGES)):
        asked = {"KeyId": key, "KeySpec": "AES_256"}
        made = await _kms(ctx, "GenerateDataKey", asked, ctx.principal)
        await _kms(ctx, "Decrypt", {"CiphertextBlob": made["CiphertextBlob"]}, ctx.principal)


async def _check_grant(ctx: Context, key: str, principal: Principal) -> None:
    asked = {"KeyId": key, "GranteePrincipal": SERVICE, "Operations": _OPERATIONS, "DryRun": True}
    await _kms(ctx, "CreateGrant", asked, principal)


async def _kms(
    ctx: Context, operation: str, parameters: Mapping[str, Any], principal: Principal
) -> dict[str, Any]:
    try:
        return await ctx.call("kms", operation, parameters, principal)
    except Fault as fault:
        if fault.code == _WOULD_SUCCEED:
            return {}
        if not fault.sender or fault.code == _DENIED:
            raise
        raise Fault("ValidationException", fault.message) from None
