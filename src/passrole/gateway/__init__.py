"""HTTP in, HTTP out: bytes become a call, the door answers it, the answer becomes bytes."""

from passrole.gateway.asgi import Gateway

__all__ = ["Gateway"]
