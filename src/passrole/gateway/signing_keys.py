"""S3's condition keys about the signature, from an authorisation that `sigv4` or `sigv2` verified.

https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html
"""

from collections.abc import Mapping

from passrole.wire import HttpRequest, sigv2, sigv4

_HASH = "x-amz-content-sha256"


def signing_keys(request: HttpRequest, signed: sigv4.Authorization, now: float) -> Mapping[str, str]:
    """The keys of a verified request; `s3:signatureAge` is in milliseconds.

    "In Signature Version 2, this value is always set to 0", and the payload has no hash there.
    """
    how = "REST-HEADER" if signed.expires_seconds is None else "REST-QUERY-STRING"
    if sigv2.is_presigned(request):
        return {"s3:authType": how, "s3:signatureversion": "AWS", "s3:signatureAge": "0"}
    return {
        "s3:authType": how,
        "s3:signatureversion": sigv4.ALGORITHM,
        "s3:signatureAge": str(max(0, int((now - signed.epoch_seconds) * 1000))),
        f"s3:{_HASH}": request.headers.get(_HASH, sigv4.UNSIGNED_PAYLOAD),
    }


def form_keys(signed: sigv4.Authorization, now: float) -> Mapping[str, str]:
    """The keys of a verified form upload, whose policy is signed and whose file is not."""
    if not signed.date:
        return {"s3:authType": "POST", "s3:signatureversion": "AWS", "s3:signatureAge": "0"}
    age = max(0, int((now - signed.epoch_seconds) * 1000))
    return {"s3:authType": "POST", "s3:signatureversion": sigv4.ALGORITHM, "s3:signatureAge": str(age)}
