"""The file of an object, for whoever was just allowed to read the object and copies it whole.

Reading through GetObject alone would take each byte through memory. Who may read an object is decided there
and not here: call GetObject for a byte of it first, and give this what it answered.
"""

import os
from pathlib import Path
from typing import BinaryIO

from passrole.faults import Fault
from passrole.services.s3 import folders, names


def opened(data: Path, bucket: str, key: str, size: int, modified: float) -> BinaryIO | None:
    """The file, as it was when GetObject answered with its size and LastModified; None where it has changed.

    An object that is replaced afterwards leaves the opened file as it was.
    """
    try:
        path = names.segments(key)
    except Fault:
        return None
    if names.is_marker(key):
        return None
    file = folders.open_file(data / "s3" / bucket, path)
    if file is None:
        return None
    found = folders.identity(os.fstat(file.fileno()))
    if (found.size, int(found.modified)) != (size, int(modified)):
        file.close()
        return None
    return file
