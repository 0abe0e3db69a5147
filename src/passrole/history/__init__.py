"""The only place where engine meets store: what happened to executions, and what is to be done about it.

- `start`, `advance`: an execution begins, or goes one fact further, in one transaction;
  `is_still_due`, `starting_nothing_more`, `WITHDRAWALS`: which commands are of use no more (advance.py)
- `load`, `outline`, `UnknownExecution`: an execution as its journal has it, or without its steps, and
  `answers` to its callbacks (journal.py);
  `Folded` (state_cache.py)
- `outbox`, `Task`, `pending`: commands that wait to be performed
- `Callback`, `waiting`: callbacks that wait for an answer (callbacks.py)
- `jobs`: jobs that are waited for; `job_retries`: steps that wait to be tried again; cached_results.py: where
  results are that may be taken over
- retention.py: deletes executions that ended long ago, called by the worker
- `traces`: which spans of an execution are still to be sent to a collector
- `stubs`: what stands for steps of executions that are still to be started
- `executions`, `callbacks`, `definitions`: rows beside the journal; `projection`: how AWS shows them
"""

from passrole.history import (
    callbacks,
    definitions,
    executions,
    job_retries,
    jobs,
    outbox,
    projection,
    stubs,
    traces,
)
from passrole.history.advance import (
    CHANGES,
    EXECUTION_ENDS,
    STEP_ENDS,
    WITHDRAWALS,
    ExecutionEnd,
    StepEnd,
    advance,
    is_still_due,
    start,
    starting_nothing_more,
)
from passrole.history.callbacks import Callback, waiting
from passrole.history.executions import Execution, ExecutionMetadata
from passrole.history.journal import UnknownExecution, answers, load, outline
from passrole.history.outbox import Task, pending
from passrole.history.state_cache import Folded

__all__ = [
    "CHANGES",
    "EXECUTION_ENDS",
    "STEP_ENDS",
    "WITHDRAWALS",
    "Callback",
    "Execution",
    "ExecutionEnd",
    "ExecutionMetadata",
    "Folded",
    "StepEnd",
    "Task",
    "UnknownExecution",
    "advance",
    "answers",
    "callbacks",
    "definitions",
    "executions",
    "is_still_due",
    "job_retries",
    "jobs",
    "load",
    "outbox",
    "outline",
    "pending",
    "projection",
    "start",
    "starting_nothing_more",
    "stubs",
    "traces",
    "waiting",
]
