"""`make chaos`: a cluster under load, what befalls it, and the check that nothing acknowledged was lost.

    make chaos                                 # the short form, in less than three minutes
    make chaos EVENTS=1000 SEED=7              # a long one; the seed repeats the plan of mishaps

What runs: servers on one PostgreSQL, each in a network namespace with an address and a small disk; a primary
with a synchronous standby; another passrole as their S3. The whole of it is in namespaces of its own
(machine.py), so it needs root, and leaves nothing. Clients call whichever node answers, retry as boto3 does,
and write down what they were told (told.py). What befalls the cluster is a table (mishaps.py):

- kill: kill -9 of a node, which is started again; stop: SIGTERM, as of a rolling restart
- freeze: SIGSTOP; cut: its network cable; cut from the database: packets to PostgreSQL are lost
- clock: its wall clock steps by up to 200 s and back, by a small library (clock.c; left out where there is no
  `cc`). Its monotonic clock, its programs' clocks, PostgreSQL's and the clients' do not
- full disk: its data folder is a file system without room
- restart: PostgreSQL ends, or crashes, and starts; standby lost: no commit returns until it is back
- failover: the primary dies, the standby is promoted, the old primary follows it (pg_rewind)

What must hold at the end is a list (checks.py). A violation is printed, the exit code is 1, and the folder
with all logs is kept. The plan is repeatable; what meets what in which millisecond is not.
"""

import importlib
import sys
import types
from pathlib import Path

if __name__ == "__main__":
    tests = types.ModuleType("tests")  # this folder, and not what a package of others installs by that name
    tests.__path__ = [str(Path(__file__).parents[1])]
    sys.modules["tests"] = tests
    sys.exit(importlib.import_module("tests.chaos.run").main())
