"""Pages for people: what runs, what waits for an answer, what was denied; every button is an AWS call.

A page calls through the door as the principal that is signed in, so it shows and does what that one may.

- `listening`: answers on a listener of its own, because objects in S3 are pages of others on the API's origin
- `Means`: what it needs of the server (means.py)
- `NotInstalled`: the extra `console` is missing
"""

import socket
from contextlib import AbstractAsyncContextManager

from passrole.console.means import Means, NotInstalled

__all__ = ["Means", "NotInstalled", "listening"]


def listening(means: Means, listener: socket.socket) -> AbstractAsyncContextManager[None]:
    """Serves the pages on a bound socket within the block. Raises NotInstalled without the extra."""
    try:
        from passrole.console import application
        from passrole.console import listener as own
    except ModuleNotFoundError as error:
        raise NotInstalled(str(error.name)) from error
    return own.listening(application.application(means), listener)
