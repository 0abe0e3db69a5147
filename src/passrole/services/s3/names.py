"""What buckets and keys may be called: AWS's rules for buckets, and a folder's rules for keys.

It touches no disk. A key is a path below the bucket's folder, so it must be one that leads there and
nowhere else, and that another key's folder is not: https://docs.aws.amazon.com/AmazonS3/latest/userguide/
bucketnamingrules.html and object-keys.html.
"""

import re

from passrole.faults import Fault
from passrole.services.s3.refusals import unfit_key

KEY_BYTES_MAX = 1_024
SEGMENT_BYTES_MAX = 255  # what the usual file systems take

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# Of buckets from before 2018 too: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_ADDRESSED = re.compile(r"[A-Za-z0-9._-]{1,255}", re.ASCII)
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def bucket_arn(bucket: str) -> str:
    """A bucket's ARN, which names neither region nor account. Raises InvalidBucketName.

    A slash in it would make the ARN that of an object in another bucket.
    """
    if not _ADDRESSED.fullmatch(bucket):
        raise _invalid_name(bucket)
    return f"arn:aws:s3:::{bucket}"


def object_arn(bucket: str, key: str) -> str:
    """An object's ARN."""
    return f"{bucket_arn(bucket)}/{key}"


def check_bucket(name: str) -> None:
    """Check the name of a new bucket. Raises InvalidBucketName."""
    good = (
        _BUCKET.fullmatch(name)
        and ".." not in name
        and not _ADDRESS.fullmatch(name)
        and not name.startswith(_RESERVED_STARTS)
        and not name.endswith(_RESERVED_ENDS)
    )
    if not good:
        raise _invalid_name(name)


def segments(key: str) -> tuple[str, ...]:
    """The key as folder names and, at the end, a file's name; a folder marker (`a/`) is `("a",)`.

    Raises KeyTooLongError, and InvalidRequest for what a folder cannot hold.
    """
    if any("\ud800" <= letter <= "\udfff" for letter in key):
        raise unfit_key(ascii(key), "it is no text")
    if len(key.encode()) > KEY_BYTES_MAX:
        members = {"Size": len(key.encode()), "MaxSizeAllowed": KEY_BYTES_MAX}
        raise Fault("KeyTooLongError", "Your key is too long", status=400, members=members)
    if "\0" in key:
        raise unfit_key(key, "it has a NUL in it")
    parts = tuple(key.removesuffix("/").split("/"))
    for part in parts:
        _check_segment(key, part)
    return parts


def is_marker(key: str) -> bool:
    """Whether the key is a folder's: an empty object that consoles create to show one."""
    return key.endswith("/")


def _invalid_name(bucket: str) -> Fault:
    message = "The specified bucket is not valid."
    return Fault("InvalidBucketName", message, status=400, members={"BucketName": bucket})


def _check_segment(key: str, part: str) -> None:
    if not part:
        raise unfit_key(key, "a part of it is empty")
    if part in (".", ".."):
        raise unfit_key(key, f"`{part}` is no name of its own")
    if len(part.encode()) > SEGMENT_BYTES_MAX:
        raise unfit_key(key, f"a part of it has more than {SEGMENT_BYTES_MAX} bytes")
