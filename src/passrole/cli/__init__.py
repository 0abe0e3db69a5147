"""The command line: one file per verb, each of which calls the API like any client.

Knows no store, engine or door: what `app` gives (a server, an onboarded folder, where a server is)
and what AWS's clients give is all there is. Imported for every `passrole --help` and every start of
a server, so boto3, rich and `app` are imported inside the verbs that need them.
"""

from passrole.cli.approve import approve
from passrole.cli.callbacks import callbacks
from passrole.cli.check import check
from passrole.cli.doctor import doctor
from passrole.cli.env import env
from passrole.cli.exec import exec_
from passrole.cli.explain import explain
from passrole.cli.init import init
from passrole.cli.logs import logs
from passrole.cli.policy import policy
from passrole.cli.reject import reject
from passrole.cli.run import run
from passrole.cli.serve import serve
from passrole.cli.verbs import main

for _verb in (serve, init, doctor, env, exec_, check, explain, policy, run, logs, callbacks, approve, reject):
    main.add_command(_verb)

__all__ = ["main"]
