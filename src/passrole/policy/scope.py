"""One request during its evaluation: the split ARN and the look-up of condition keys.

It knows no policy. Values are computed at most once for a request, and only on demand, because most decisions
read no condition key.

Keys that follow from the principal or the request (`aws:PrincipalArn`, `aws:username`, ...) are derived; a
key in the request's context takes precedence.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from collections.abc import Callable, Mapping
from typing import Final

from passrole.policy.request import Request, Values

_TAG_PREFIX: Final = "aws:principaltag/"


def split_arn(text: str) -> list[str]:
    """The six segments of an ARN, or fewer if `text` has fewer colons; the last may contain colons."""
    return text.split(":", 5)


class Scope:
    """The data of one request that statements read."""

    __slots__ = ("_keys", "request", "resource", "segments")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.resource = resource = request.resource
        self.segments = split_arn(resource)
        self._keys: Mapping[str, Values] | None = None

    def value(self, key: str) -> Values | None:
        """The value of a condition key, given in lower case; None if the request does not have it."""
        keys = self._keys
        if keys is None:
            keys = self._keys = {name.lower(): value for name, value in self.request.context.items()}
        found = keys.get(key)
        return found if found is not None else self._implied(key)

    def _implied(self, key: str) -> Values | None:
        derive = _IMPLIED.get(key)
        if derive is not None:
            return derive(self.request)
        if key.startswith(_TAG_PREFIX):
            return _named(self.request.principal.tags, key.removeprefix(_TAG_PREFIX))
        return _named(self.request.principal.keys, key)


def _named(values: Mapping[str, str], wanted: str) -> str | None:
    return next((value for name, value in values.items() if name.lower() == wanted), None)


def _principal_arn(request: Request) -> str | None:
    # "For IAM roles, the request context returns the ARN of the role, not of the user that assumed the role."
    return request.principal.role_arn or request.principal.arn or None


def _user_name(request: Request) -> str | None:
    # Only IAM users have aws:username; a role session has none.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    return request.principal.name if request.principal.kind == "user" else None


def _service_name(request: Request) -> str | None:
    return request.principal.name if request.principal.kind == "service" else None


def _account(request: Request) -> str | None:
    return None if request.principal.kind == "service" else request.principal.account


def _bucket_owner(request: Request) -> str | None:
    return request.resource_account or None if request.action.startswith("s3:") else None


_PRINCIPAL_TYPES: Final = {"user": "User", "role": "AssumedRole", "root": "Account", "service": "Service"}

_IMPLIED: Final[Mapping[str, Callable[[Request], Values | None]]] = {
    "aws:principalaccount": _account,
    "aws:principalarn": _principal_arn,
    "aws:principalisawsservice": lambda r: "true" if r.principal.kind == "service" else "false",
    "aws:principalservicename": _service_name,
    "aws:principaltype": lambda r: _PRINCIPAL_TYPES[r.principal.kind],
    "aws:resourceaccount": lambda r: r.resource_account or None,
    "aws:tokenissuetime": lambda r: r.principal.token_issued,
    "aws:userid": lambda r: r.principal.id or None,  # unknown for a simulated caller
    "aws:username": _user_name,
    "s3:resourceaccount": _bucket_owner,
}
