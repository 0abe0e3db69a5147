"""Reads from a data folder's audit trail what the roles of executions were allowed."""

from collections.abc import Iterator

from passrole import audit
from passrole.audit import Check, Entry, Wanted
from passrole.cli.errors import Misuse
from passrole.config import Config
from passrole.needs.need import PASSED_TO, Need
from passrole.store import opening

# The prefixes of the names of sessions in which SageMaker runs the steps.
_SESSION = "sagemaker-pipeline-"


def entries(config: Config, wanted: Wanted) -> Iterator[Entry]:
    """The calls that are wanted, oldest first, of all servers. Raises Misuse if the trail cannot be read."""
    try:
        with opening.looking(config) as store:
            yield from audit.entries(config.data, wanted, store.look if store else None)
    except audit.NoTrail as error:
        raise Misuse(f"{error}; name its folder with --data") from error
    except (audit.Unreadable, opening.StoreUnusable) as error:
        raise Misuse(str(error)) from error


def allowed_to_roles(config: Config, since: float = 0, until: float | None = None) -> dict[str, list[Need]]:
    """What SageMaker's sessions of each role, by its name, were allowed; times in epoch seconds.

    Raises Misuse where the trail cannot be read.
    """
    needs: dict[str, dict[Need, None]] = {}
    sessions = (b":assumed-role/", f"/{_SESSION}".encode())
    for entry in entries(config, Wanted(holding=sessions, since=since, until=until)):
        role = _role(entry.principal)
        if role is None:
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
