"""Markers of lists: the name or id after which a page begins, unreadable as AWS's are."""

import base64
import binascii

from passrole.services.lambda_ import refusals


def marker_behind(last: str) -> str:
    """The marker of the page after the one that ends with `last`."""
    return base64.b64encode(last.encode()).decode()


def place_of(marker: str) -> str:
    """What `marker_behind` was given. Raises Fault."""
    try:
        return base64.b64decode(marker, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise refusals.invalid("Invalid marker") from error
