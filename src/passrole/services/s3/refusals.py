"""The errors of S3 in its own words and statuses, for its description lists neither.

Their further members (`Key`, `BucketName`, `Condition`) stand in the answer's XML, where clients read them:
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from typing import Any

from passrole.faults import AccessDenied, Fault
from passrole.members import without_none


def no_such_bucket(bucket: str) -> Fault:
    """There is no bucket of that name."""
    message = "The specified bucket does not exist"
    return Fault("NoSuchBucket", message, status=404, members={"BucketName": bucket})


def no_such_key(key: str) -> Fault:
    """The bucket has no object under the key."""
    return Fault("NoSuchKey", "The specified key does not exist.", status=404, members={"Key": key})


def no_such_upload(upload: str) -> Fault:
    """The multipart upload was never begun, or is over."""
    message = (
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been"
        " aborted or completed."
    )
    return Fault("NoSuchUpload", message, status=404, members={"UploadId": upload})


def not_configured(code: str, message: str, bucket: str) -> Fault:
    """The bucket has no configuration of a kind."""
    return Fault(code, message, status=404, members={"BucketName": bucket})


def wrong_owner() -> Fault:
    """ExpectedBucketOwner names another account."""
    return AccessDenied("AccessDenied", "Access Denied", status=403)


def invalid_argument(message: str, name: str | None = None, value: object = None) -> Fault:
    """A parameter is wrong, in words of its own; `name` is the parameter's on the wire."""
    members: dict[str, Any] = {} if name is None else {"ArgumentName": name}
    if value is not None:
        members["ArgumentValue"] = value
    return Fault("InvalidArgument", message, status=400, members=members)


def invalid_request(message: str) -> Fault:
    """The request cannot be done as it is, in words of its own."""
    return Fault("InvalidRequest", message, status=400)


def malformed_xml() -> Fault:
    """The body's structure is not what the operation takes."""
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return Fault("MalformedXML", message, status=400)


def not_implemented(header: str | None = None, more: str | None = None) -> Fault:
    """AWS's words for a header that asks for more than there is, `more` being its second sentence."""
    message = "A header you provided implies functionality that is not implemented"
    details = {"Header": header, "additionalMessage": more}
    members = without_none(**details)
    return Fault("NotImplemented", message, status=501, members=members)


def unfit_key(key: str, reason: str) -> Fault:
    """A folder cannot hold the key; AWS has no such limit, so the words are passrole's."""
    return invalid_request(f"passrole keeps objects as files and cannot hold the key `{key}`: {reason}")


def precondition_failed(condition: str) -> Fault:
    """A condition of the request does not hold; it is named by its header."""
    message = "At least one of the pre-conditions you specified did not hold"
    return Fault("PreconditionFailed", message, status=412, members={"Condition": condition})


def not_modified(condition: str, etag: str, modified: str) -> Fault:
    """The reader has the object as it is; `etag` with its quotes, `modified` as HTTP writes dates."""
    headers = {"etag": etag, "last-modified": modified}
    members = {"Condition": condition}
    return Fault("NotModified", "Not Modified", status=304, members=members, headers=headers)


def conflict(key: str) -> Fault:
    """The object changed while a conditional write was under way."""
    message = "The conditional request cannot succeed due to a conflicting operation against this resource."
    return Fault("ConditionalRequestConflict", message, status=409, members={"Key": key})


def busy() -> Fault:
    """The object changes faster than it can be read."""
    message = (
        "A conflicting conditional operation is currently in progress against this resource."
        " Please try again."
    )
    return Fault("OperationAborted", message, status=409)


def bad_md5(expected: str, calculated: str) -> Fault:
    """What arrived is not what the sender's Content-MD5 is of."""
    message = "The Content-MD5 you specified did not match what we received."
    members = {"ExpectedDigest": expected, "CalculatedDigest": calculated}
    return Fault("BadDigest", message, status=400, members=members)


def bad_checksum(algorithm: str) -> Fault:
    """What arrived is not what the sender's checksum is of."""
    message = f"The {algorithm} you specified did not match the calculated checksum."
    return Fault("BadDigest", message, status=400)


def invalid_md5(value: str) -> Fault:
    """The sender's Content-MD5 is none."""
    members = {"Content-MD5": value}
    return Fault("InvalidDigest", "The Content-MD5 you specified was invalid.", status=400, members=members)


def invalid_checksum(header: str) -> Fault:
    """The sender's checksum cannot be one; `header` is its name."""
    return Fault("InvalidDigest", f"Value for {header} header is invalid.", status=400)
