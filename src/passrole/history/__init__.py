"""The only place where engine meets store: what happened to executions, and what is to be done about it.

- `start`, `advance`: an execution begins, or goes one fact further, in one transaction;
  `due_and_overdue`, `WITHDRAWALS`: which commands are of use no more (advance.py)
- `load`, `UnknownExecution`: an execution as its journal has it (journal.py); `Folded` (state_cache.py)
- `Task`, `COMMANDS`, `pending`: commands that wait to be performed (outbox.py)
- `Callback`, `waiting`: callbacks that wait for an answer (callbacks.py)
- `jobs`: EMR steps that are waited for
- `executions`, `callbacks`, `definitions`: rows beside the journal; `projection`: how AWS shows them
"""

from passrole.history import callbacks, definitions, executions, jobs, projection
from passrole.history.advance import WITHDRAWALS, advance, due_and_overdue, start
from passrole.history.callbacks import Callback, waiting
from passrole.history.executions import About, Execution
from passrole.history.journal import UnknownExecution, load
from passrole.history.outbox import COMMANDS, Task, pending
from passrole.history.state_cache import Folded

__all__ = [
    "COMMANDS",
    "WITHDRAWALS",
    "About",
    "Callback",
    "Execution",
    "Folded",
    "Task",
    "UnknownExecution",
    "advance",
    "callbacks",
    "definitions",
    "due_and_overdue",
    "executions",
    "jobs",
    "load",
    "pending",
    "projection",
    "start",
    "waiting",
]
