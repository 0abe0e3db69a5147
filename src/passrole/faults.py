"""The errors that are sent on the wire.

A Fault is what AWS would answer: a code, a message, a status. `wire` renders it in the protocol of
the call; nothing below `wire` knows how. Any exception that is not a Fault is a bug in passrole and
leaves the gateway as InternalFailure (500) with no detail.

    Fault
    ├── AccessDenied    the evaluator said no; `api` words it as the service does
    └── Internal        passrole itself failed, which says nothing of the call
"""

from collections.abc import Mapping
from typing import Any


class Fault(Exception):
    """One error on the wire.

    `code` is the modelled shape name or the bare code (`ResourceNotFound`); `status` overrides the
    service description's (which defaults to 400); `members` are further modelled members of the error, and
    `headers`, which S3's answers alone carry, by lower-case name.
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
    """The caller may not do this."""


class Internal(Fault):
    """The answer to a failure of ours: that it is one, and nothing of it."""

    def __init__(self) -> None:
        message = "The request failed because of an internal error."
        super().__init__("InternalFailure", message, status=500, sender=False)


class InnerCallFailed(Exception):
    """passrole itself failed in a call that a handler made of another service.

    It is no Fault, so that no handler takes it for that service's refusal and blames its own caller.
    """
