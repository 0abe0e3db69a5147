"""The command line, by task: `server`, `pipelines`, `permissions`; commands and terminal screens.

Knows no store, engine or door: what `client` and `app` give and what AWS's clients give is all there is.
Imported for every `passrole --help` and every start of a server, so boto3, rich and `app` are imported inside
the commands that need them.
"""

from passrole.cli.main import main

__all__ = ["main"]
