"""Reads from a data folder's audit trail what the roles of executions were allowed."""

from collections.abc import Callable, Iterator
from pathlib import Path

from passrole import audit
from passrole.audit import Check, Entry
from passrole.cli.errors import Misuse
from passrole.needs.need import PASSED_TO, Need

# The prefixes of the names of sessions in which SageMaker runs the steps.
_SESSION = "sagemaker-pipeline-"


def entries(data: Path, fits: Callable[[bytes], bool]) -> Iterator[Entry]:
    """The calls whose lines pass the filter, oldest first. Raises Misuse if the trail cannot be read."""
    try:
        yield from audit.entries(data, fits)
    except audit.NoTrail as error:
        raise Misuse(f"{error}; name its folder with --data") from error
    except audit.Unreadable as error:
        raise Misuse(str(error)) from error


def allowed_to_roles(data: Path, since: float = 0, until: float | None = None) -> dict[str, list[Need]]:
    """What SageMaker's sessions of each role, by its name, were allowed; times in epoch seconds.

    Raises Misuse where the trail cannot be read.
    """
    needs: dict[str, dict[Need, None]] = {}
    session = f"/{_SESSION}".encode()
    for entry in entries(data, lambda line: b":assumed-role/" in line and session in line):
        role = _role(entry.principal)
        if role is None or entry.time < since or (until is not None and entry.time > until):
            continue
        for check in entry.checks:
            if check.allowed:
                needs.setdefault(role, {})[_need(check)] = None
    return {role: list(found) for role, found in needs.items()}


def _role(principal: str) -> str | None:
    """The role of a SageMaker session; None for other principals."""
    kind, _, session = principal.rpartition(":")[2].partition("/")
    role, _, name = session.partition("/")
    return role if kind == "assumed-role" and name.startswith(_SESSION) else None


def _need(check: Check) -> Need:
    context = {PASSED_TO: check.passed_to} if check.passed_to is not None else {}
    return Need(None, check.action, check.resource, "was asked for", context)
