"""What a request asks for, once that is known."""

from collections.abc import Mapping
from dataclasses import dataclass

from passrole.wire.descriptions import Protocol


@dataclass(frozen=True, slots=True)
class Route:
    """The operation that a request asks for; `service` is botocore's name, `path_arguments` are decoded.

    Of what is not served, `service` is the signing name, and the call is refused.
    """

    service: str
    operation: str
    protocol: Protocol
    path_arguments: Mapping[str, str]
    is_supported: bool = True
