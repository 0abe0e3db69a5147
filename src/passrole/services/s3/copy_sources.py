"""Which object a copy names as its source."""

from urllib.parse import unquote

from passrole.services.s3.refusals import invalid_argument, invalid_request


def named(copy_source: str) -> tuple[str, str]:
    """The bucket and the key of `bucket/key`, which comes quoted and may begin with a slash. Raises Fault."""
    bucket, slash, key = unquote(copy_source).removeprefix("/").partition("/")
    if not slash or not bucket or not key:
        raise invalid_argument("Invalid copy source object key")
    if "?versionId=" in copy_source:
        raise invalid_request("passrole keeps no versions of objects")
    return bucket, key
