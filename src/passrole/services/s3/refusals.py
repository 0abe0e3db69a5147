"""The errors of S3 in its own words and statuses, for its description lists neither."""

from passrole.faults import AccessDenied, Fault


def no_such_bucket() -> Fault:
    """There is no bucket of that name."""
    return Fault("NoSuchBucket", "The specified bucket does not exist", status=404)


def no_such_key() -> Fault:
    """The bucket has no object under the key."""
    return Fault("NoSuchKey", "The specified key does not exist.", status=404)


def no_such_upload() -> Fault:
    """The multipart upload was never begun, or is over."""
    message = (
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been"
        " aborted or completed."
    )
    return Fault("NoSuchUpload", message, status=404)


def wrong_owner() -> Fault:
    """ExpectedBucketOwner names another account."""
    return AccessDenied("AccessDenied", "Access Denied", status=403)


def invalid_argument(message: str) -> Fault:
    """A parameter is wrong, in words of its own."""
    return Fault("InvalidArgument", message, status=400)


def invalid_request(message: str) -> Fault:
    """The request cannot be done as it is, in words of its own."""
    return Fault("InvalidRequest", message, status=400)


def malformed_xml() -> Fault:
    """The body's structure is not what the operation takes."""
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return Fault("MalformedXML", message, status=400)


def not_implemented() -> Fault:
    """AWS's words for a header that asks for more than there is."""
    message = "A header you provided implies functionality that is not implemented"
    return Fault("NotImplemented", message, status=501)


def unfit_key(key: str, reason: str) -> Fault:
    """A folder cannot hold the key; AWS has no such limit, so the words are passrole's."""
    return invalid_request(f"passrole keeps objects as files and cannot hold the key `{key}`: {reason}")


def precondition_failed() -> Fault:
    """A condition of the request does not hold."""
    message = "At least one of the pre-conditions you specified did not hold"
    return Fault("PreconditionFailed", message, status=412)


def not_modified() -> Fault:
    """The reader has the object as it is."""
    return Fault("NotModified", "Not Modified", status=304)


def conflict() -> Fault:
    """The object changed while a conditional write was under way."""
    message = "The conditional request cannot succeed due to a conflicting operation against this resource."
    return Fault("ConditionalRequestConflict", message, status=409)


def busy() -> Fault:
    """The object changes faster than it can be read."""
    message = (
        "A conflicting conditional operation is currently in progress against this resource."
        " Please try again."
    )
    return Fault("OperationAborted", message, status=409)


def bad_md5() -> Fault:
    """What arrived is not what the sender's Content-MD5 is of."""
    message = "The Content-MD5 you specified did not match what we received."
    return Fault("BadDigest", message, status=400)


def bad_checksum(algorithm: str) -> Fault:
    """What arrived is not what the sender's checksum is of."""
    message = f"The {algorithm} you specified did not match the calculated checksum."
    return Fault("BadDigest", message, status=400)


def invalid_digest() -> Fault:
    """The sender's digest is none."""
    message = "The Content-MD5 or checksum value that you specified is not valid."
    return Fault("InvalidDigest", message, status=400)
