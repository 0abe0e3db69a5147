"""What a handler is given beside its parameters: who calls, where, and what it may use."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from passrole.arns import Account, Location, Region
from passrole.clock import Clock
from passrole.config import Config
from passrole.policy.request import Principal
from passrole.runtimes.interface import FunctionRuntime
from passrole.store import Store


class CallDoor(Protocol):
    """The door, for a handler that needs another service."""

    async def __call__(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        principal: Principal | None = None,
    ) -> dict[str, Any]:
        """Call as the present caller, or as `principal` (a service acting for itself).

        `service` and `operation` as botocore and AWS spell them (`lambda`, `GetFunction`), parameters and
        answer in AWS's capital spelling. Raises Fault as the called service answers. Never inside a
        transaction.
        """


@dataclass(frozen=True)
class Context:
    """One call's surroundings."""

    principal: Principal
    account: Account
    region: Region
    request_id: str
    store: Store
    functions: FunctionRuntime
    call: CallDoor
    clock: Clock
    config: Config
    hung_up: Callable[[], Awaitable[None]] | None = None
    """Returns once the caller has closed its connection; None where there is none. For who waits long."""

    @property
    def location(self) -> Location:
        """Where the call is: what the keys of all its regional resources begin with."""
        return Location(self.account, self.region)

    def key(self, name: str) -> str:
        """The key of a regional resource in a Collection."""
        return self.location.key(name)
