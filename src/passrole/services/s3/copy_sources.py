"""Which object a copy names as its source."""

from urllib.parse import unquote

from passrole.services.s3.refusals import invalid_argument

_VERSION = "?versionId="


def named(copy_source: str) -> tuple[str, str]:
    """The bucket and the key of `bucket/key`, which is URL-encoded and may begin with a slash.

    Raises InvalidArgument.
    """
    source = copy_source.partition(_VERSION)[0]
    bucket, slash, key = unquote(source).removeprefix("/").partition("/")
    if not slash or not bucket or not key:
        raise invalid_argument("Invalid copy source object key", "x-amz-copy-source", copy_source)
    return bucket, key


def version(copy_source: str) -> str | None:
    """The version that is named behind the key, if one is."""
    return copy_source.partition(_VERSION)[2] or None
