"""What a test sees of executions: read from the store and the audit trail of the server, not over HTTP.

A hundred looks a second at an execution that is waited for would cost more over the network than the test.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any, TypeVar

from passrole import history
from passrole.audit import Wanted, entries
from passrole.client.connection import Connection
from passrole.definition import Pipeline
from passrole.history import UnknownExecution, projection, recordings
from passrole.store import Tx
from passrole.testing.server_thread import ServerThread
from passrole.worker.calls import STEP_CHARACTERS_MAX

T = TypeVar("T")

_SESSION = "sagemaker-pipeline-"
_DENIED = ("AccessDenied", "AccessDeniedException")


class Observed:
    """Reads of the server's present state; `sagemaker` is the client with which a test acts on executions."""

    def __init__(self, thread: ServerThread, connection: Connection) -> None:
        self._thread = thread
        self._connection = connection

    @property
    def sagemaker(self) -> Any:
        """The administrator's client."""
        return self._connection.client("sagemaker")

    def description(self, arn: str) -> dict[str, Any]:
        """DescribePipelineExecution's answer."""

        def described(tx: Tx) -> dict[str, Any]:
            folded, execution = history.load(tx, arn), history.executions.find(tx, arn)
            assert execution is not None, "an execution with a journal has a row"
            return projection.describe(execution, folded)

        return self.read(described)

    def steps(self, arn: str) -> list[dict[str, Any]]:
        """ListPipelineExecutionSteps's steps, oldest first."""
        return self.read(lambda tx: projection.steps(history.load(tx, arn).state, newest_first=False))

    def pipeline(self, arn: str) -> Pipeline:
        """The definition of the execution."""
        return self.read(lambda tx: history.load(tx, arn).state.pipeline)

    def recording(self, arn: str) -> dict[str, Any]:
        """The execution as `passrole replay` reads it."""
        return self.read(lambda tx: recordings.recording(tx, arn, version("passrole")))

    def step_names(self) -> set[str]:
        """The names of the steps of all definitions, of pipelines and of executions."""

        def names(tx: Tx) -> set[str]:
            digests = [digest for (digest,) in tx.all("SELECT digest FROM definitions")]
            return {name for each in digests for name in history.definitions.pipeline_of(tx, each).steps}

        return self.read(names)

    def is_denied(self, arn: str, action: str, step: str = "") -> bool:
        """Whether IAM denied the action to the execution's role, for one of its steps or for this one."""
        session = f"{_SESSION}{arn.rpartition('/')[2]}-{step[:STEP_CHARACTERS_MAX]}"
        wanted = action.lower()
        for entry in entries(self._thread.config.data, Wanted(holding=(session.encode(),)), self.read):
            is_of_step = entry.principal.endswith(session) if step else session in entry.principal
            denied = [check for check in entry.checks if not check.allowed]
            actions = {
                check.action.lower() for check in denied or entry.checks
            }  # a fault denies what IAM allows
            if is_of_step and entry.code in _DENIED and wanted in actions:
                return True
        return False

    def read(self, work: Callable[[Tx], T]) -> T:
        """The result of a read of the store. AssertionError where it is about an unknown execution."""

        async def done() -> T:
            return await self._thread.store.read(work)

        try:
            return self._thread.do(done())
        except UnknownExecution as error:
            raise AssertionError(f"there is no execution {error}; a reset removes all") from None
