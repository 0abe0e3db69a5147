"""What a handler is given beside its parameters: who calls, where, and what it may use."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from passrole.arns import Account, Location, Region, resource_key
from passrole.clock import Clock
from passrole.config import Config
from passrole.policy.request import Principal
from passrole.runtimes.interface import FunctionRuntime
from passrole.runtimes.model_servers import ModelServers
from passrole.store import Store


class CallOperation(Protocol):
    """The door, for whoever calls an operation from inside: a handler, or work in the background."""

    async def __call__(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        principal: Principal,
        region: str,
        request_id: str | None = None,
    ) -> dict[str, Any]:
        """Call as `principal`, such as a service acting for itself or a session of a role.

        `service` and `operation` as botocore and AWS spell them (`lambda`, `GetFunction`), parameters and
        answer in AWS's capital spelling. Raises Fault as the called service answers. Never inside a
        transaction.
        """


class HandlerCall(CallOperation, Protocol):
    """The same from within a call: by default it goes on as the present caller, in the present region."""

    async def __call__(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        principal: Principal | None = None,
        region: str | None = None,
        request_id: str | None = None,
    ) -> dict[str, Any]:
        """See CallOperation."""


May = Callable[[str, str, Mapping[str, Any]], Awaitable[bool]]
"""Whether the caller would be let in to an operation, by service, operation and parameters.

Nothing is done or recorded.
"""


async def _may_nothing(_service: str, _operation: str, _parameters: Mapping[str, Any]) -> bool:
    return False


@dataclass(frozen=True)
class Context:
    """One call's surroundings."""

    principal: Principal
    account: Account
    region: Region
    request_id: str
    store: Store
    functions: FunctionRuntime
    call: HandlerCall
    clock: Clock
    config: Config
    models: ModelServers = field(default_factory=ModelServers)
    supports: Callable[[str, str], bool] = lambda _service, _operation: True
    """Whether passrole has an operation, by botocore's name of its service and AWS's spelling."""
    may: May = _may_nothing
    """For lists of what the caller may see: to leave something out is no denial of a call."""
    hung_up: Callable[[], Awaitable[None]] | None = None
    """Returns once the caller has closed its connection; None where there is none. For who waits long."""

    @property
    def location(self) -> Location:
        """Where the call is: what the keys of all its regional resources begin with."""
        return Location(self.account, self.region)

    def key(self, name: str) -> str:
        """The key of a regional resource in a Collection."""
        return resource_key(self.account, self.region, name)
