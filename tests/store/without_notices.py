"""`passrole` in which no notice is heard, as in a process whose connection to the others is cut.

    python tests/store/without_notices.py serve --data DIR --port 0
    PASSROLE_TEST_STORE=without-notices pytest tests/services

What wakes up then is the slow look at the rows alone, which comes every LOOK_SECONDS here.
"""

import sys
from types import ModuleType
from typing import Any

LOOK_SECONDS = 0.2


def lose_notices(patch: Any = None) -> None:
    """Have no listener called, and looks come quickly; `patch` is pytest's, where that is to be undone."""
    from passrole.console import changes
    from passrole.store import cache
    from passrole.store.listeners import Listeners
    from passrole.worker import due_keys, job_monitor, loop, task_queue, traces

    def set_(module: ModuleType | type, name: str, value: object) -> None:
        (patch.setattr if patch else setattr)(module, name, value)

    set_(Listeners, "tell", lambda _self, _notice: None)
    for module, name in (
        (cache, "AGE_SECONDS_MAX"),
        (changes, "BEAT_SECONDS"),
        (changes, "LOOK_SECONDS"),
        (due_keys, "LOOK_SECONDS"),
        (due_keys, "WAIT_SECONDS_MAX"),
        (job_monitor, "RECONCILE_SECONDS"),
        (loop, "LOOK_SECONDS"),
        (task_queue, "WAIT_SECONDS_MAX"),
        (traces, "LOOK_SECONDS"),
    ):
        set_(module, name, LOOK_SECONDS)


def main() -> int:
    """passrole's command line."""
    lose_notices()
    from passrole.cli import main as passrole

    code: int = passrole()
    return code


if __name__ == "__main__":
    sys.exit(main())
