"""The route of a request: its operation and the arguments in its path."""

from collections.abc import Mapping
from dataclasses import dataclass

from passrole.wire.descriptions import Protocol


@dataclass(frozen=True, slots=True)
class Route:
    """The operation of a request; `service` is botocore's name, `path_arguments` are decoded.

    If it is not supported, `service` is the signing name, and the call will be refused.
    """

    service: str
    operation: str
    protocol: Protocol
    path_arguments: Mapping[str, str]
    is_supported: bool = True
