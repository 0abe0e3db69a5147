"""An execution as a file keeps it: the definition and the whole journal, for a later version to replay.

It holds what the execution saw: parameters, outputs, reasons, callback tokens. Only who may read the data
folder makes one.
"""

from typing import Any

from passrole import exact_json
from passrole.history import definitions, journal
from passrole.store import Tx

FORMAT = 1


def recording(tx: Tx, execution: str, version: str) -> dict[str, Any]:
    """The recording of an execution (its ARN), by this `version` of passrole. Raises UnknownExecution."""
    found = tx.one("SELECT definition FROM executions WHERE execution = ?", execution)
    if found is None:
        raise journal.UnknownExecution(execution)
    rows = tx.all("SELECT facts FROM journal WHERE execution = ? ORDER BY seq", execution)
    return {
        "Format": FORMAT,
        "Passrole": version,
        "PipelineExecutionArn": execution,
        "Definition": definitions.text_of(tx, found[0]),
        "Journal": [exact_json.loads(facts) for (facts,) in rows],
    }
