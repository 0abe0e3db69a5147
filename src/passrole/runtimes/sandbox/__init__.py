"""Confines programs of users: functions, EMR steps and jobs see their own world and nothing of the server.

A `World` says what a program sees; a `Sandbox` makes a command line that runs a program in it. Which kinds
of sandbox a machine has is found out by trying (`ladder.py`). Knows no AWS.
"""

from passrole.runtimes.sandbox.interface import Sandbox
from passrole.runtimes.sandbox.ladder import AUTO, SERIAL, SandboxMissing, at_best, chosen
from passrole.runtimes.sandbox.start import OUTSIDE, NotText, confined, exported
from passrole.runtimes.sandbox.world import World

__all__ = [
    "AUTO",
    "OUTSIDE",
    "SERIAL",
    "NotText",
    "Sandbox",
    "SandboxMissing",
    "World",
    "at_best",
    "chosen",
    "confined",
    "exported",
]
