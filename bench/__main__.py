"""`python -m bench [SUBJECT ...]`: measure every subject, or those that are named, and print the table."""

import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterable

from rich.console import Console

from bench import (
    background,
    callbacks,
    calls,
    checking,
    console,
    decisions,
    emr,
    endpoints,
    engine,
    events,
    executions,
    functions,
    hostile,
    job_steps,
    jobs,
    nodes,
    pipelines,
    queues,
    start_up,
    testing,
    tuning,
    turns,
    waiting,
)
from bench.table import Row, missed, show

SUBJECTS: dict[str, Callable[[], Iterable[Row]]] = {
    "functions": functions.rows,
    "engine": engine.rows,
    "executions": executions.rows,
    "pipelines": pipelines.rows,
    "turns": turns.rows,
    "callbacks": callbacks.rows,
    "console": console.rows,
    "waiting": waiting.rows,
    "background": background.rows,
    "queues": queues.rows,
    "calls": calls.rows,
    "nodes": nodes.rows,
    "decisions": decisions.rows,
    "checking": checking.rows,
    "events": events.rows,
    "emr": emr.rows,
    "jobs": jobs.rows,
    "job_steps": job_steps.rows,
    "endpoints": endpoints.rows,
    "tuning": tuning.rows,
    "hostile": hostile.rows,
    "start_up": start_up.rows,
    "testing": testing.rows,
}


def main(wanted: list[str]) -> int:
    """The exit code: 0 if everything could be measured, whatever the figures; 2 for misuse."""
    unknown = sorted(set(wanted) - set(SUBJECTS))
    if unknown:
        print(f"no subject `{unknown[0]}`; there are {', '.join(SUBJECTS)}", file=sys.stderr)
        return 2
    began, before = time.monotonic(), os.getloadavg()[0]
    rows, failed = _measured(wanted or list(SUBJECTS))
    caption = (
        f"Python {platform.python_version()}, {os.cpu_count()} cores, load {before:.1f} before,"
        f" {time.monotonic() - began:.0f} s in all, {len(missed(rows))} over budget"
    )
    show(rows, Console(), caption)
    return 1 if failed else 0


def _measured(names: Iterable[str]) -> tuple[list[Row], list[str]]:
    """The rows of all subjects, and the subjects that broke; one that breaks does not spoil the others."""
    rows, failed = list[Row](), list[str]()
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        try:
            rows.extend(SUBJECTS[name]())
        except Exception:
            traceback.print_exc()
            failed.append(name)
    return rows, failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
