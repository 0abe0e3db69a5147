"""What the page calculates follows from what it says was measured."""

import re
from pathlib import Path

import pytest

pytest.importorskip("psutil")
pytest.importorskip("psycopg")

from bench.sizing import MILLIONS, STEPS, Cost, need

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "sizing.md").read_text()
SECONDS_A_MONTH = 30 * 86_400


def row(start: str) -> list[str]:
    """The cells of the first line of the page that begins so."""
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| {start} |"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def number(cell: str) -> float:
    return float(re.sub(r"[^0-9.]", "", cell) or 0.0)


def costs(column: int) -> Cost:
    """Of a column of the measured table: an execution or a step on a store."""
    names = (
        "CPU of the server, ms",
        "CPU of the database, ms",
        "kept in the database, kB",
        "written to the disk, kB",
        "audit trail, kB",
    )
    server, database, kept, written, audit = (number(row(name)[column]) for name in names)
    syncs = number(row("syncs of the database's log")[column])
    return Cost(server / 1e3, database / 1e3, kept * 1e3, written * 1e3, audit * 1e3, syncs)


def is_about(cell: str, wanted: float) -> bool:
    """To the digits that the page has, which was calculated with more."""
    scale = {"TB": 1e12, "GB": 1e9}.get(cell[-2:], 1.0)
    return number(cell) == pytest.approx(wanted / scale, rel=0.05, abs=0.006)


@pytest.mark.parametrize("millions", MILLIONS)
def test_what_is_calculated_follows_from_what_was_measured(millions: int) -> None:
    executions = millions * 1e6
    a_second, sqlite, postgres, database, syncs, kept_sqlite, kept_postgres, audit = row(
        f"{millions} million"
    )
    on_sqlite = need(costs(0), costs(1), executions_a_month=executions, steps=STEPS)
    on_postgres = need(costs(2), costs(3), executions_a_month=executions, steps=STEPS)
    rate = executions / SECONDS_A_MONTH
    assert is_about(a_second, rate)
    assert is_about(sqlite, on_sqlite.server_cores)
    assert is_about(postgres, on_postgres.server_cores)
    assert is_about(database, on_postgres.database_cores)
    assert is_about(syncs, rate * (costs(2).syncs + STEPS * costs(3).syncs))
    assert is_about(kept_sqlite, on_sqlite.kept_bytes)
    assert is_about(kept_postgres, on_postgres.kept_bytes)
    assert is_about(audit, on_postgres.audit_bytes)


def test_a_step_is_what_more_steps_cost() -> None:
    short, long = Cost(*[3.0] * 6), Cost(*[23.0] * 6)
    assert long.minus(short).over(10) == Cost(*[2.0] * 6)
