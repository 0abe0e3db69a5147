"""The errors that are sent on the wire.

A Fault is the error that AWS would return: a code, a message, a status. Only `wire` knows how to render it in
the protocol of the call. Any other exception is a bug in passrole and leaves the gateway as InternalFailure
(500) without detail.

    Fault
    ├── AccessDenied    the evaluator denied the call; `api` words it as the service does
    └── Internal        passrole itself failed
        ├── Outage      its database is away
        └── Unwritable  the audit trail cannot be written
"""

from collections.abc import Mapping
from typing import Any


class Fault(Exception):
    """One error on the wire.

    `code` is the modelled shape name or the bare code (`ResourceNotFound`); `status` overrides the service
    description's status (default 400); `members` are further modelled members of the error; `headers` are
    response headers by lower-case name, for S3 only.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        sender: bool = True,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.sender = sender
        self.members = dict(members or {})
        self.headers = dict(headers or {})


class AccessDenied(Fault):
    """The caller is not authorised."""


class Internal(Fault):
    """InternalFailure, the response to any failure of passrole itself; it carries no detail."""

    def __init__(self) -> None:
        message = "The request failed because of an internal error."
        super().__init__("InternalFailure", message, status=500, sender=False)


class Outage(Internal):
    """InternalFailure because the database is away; the same call may be answered when it is back."""


class Unwritable(Internal):
    """InternalFailure because the call's line cannot be written, and no other's: it may be answered later, or
    elsewhere.
    """


class InnerCallFailed(Exception):
    """passrole itself failed in a handler's call to another service.

    It is not a Fault, so that no handler mistakes it for an error of that service.
    """
