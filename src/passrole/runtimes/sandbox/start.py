"""How a program starts in a sandbox: its environment reaches it inside, and the sandbox itself has another.

The sandbox runs unconfined, so that a variable of a request, such as LD_PRELOAD, must not be in its
environment. The program's environment is its standard input, which a shell reads once it is confined: a
command line, where other users of the machine would read credentials, is no place for it.
"""

import re
import shlex
from collections.abc import Mapping, Sequence

from passrole.runtimes.sandbox.interface import Sandbox
from passrole.runtimes.sandbox.world import World

OUTSIDE = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
"""The environment of the sandbox itself."""

_INSIDE = '. /dev/stdin; unset OLDPWD; exec "$@" < /dev/null'
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


class NotText(ValueError):
    """A variable or an argument that no program can get; the message names it."""


def confined(sandbox: Sandbox, world: World, program: Sequence[str]) -> list[str]:
    """The command line that runs `program` in `world`, with OUTSIDE as its environment and `exported` as its
    standard input. The program ends with whoever starts it. Raises NotText.
    """
    if not all(map(is_text, program)):
        raise NotText("The command line has a character that no program can get")
    return sandbox.command(world, ["/bin/sh", "-c", _INSIDE, "sh", *program], tied=True)


def exported(variables: Mapping[str, str]) -> bytes:
    """An environment, for the standard input of `confined`. Raises NotText."""
    return "".join(_exported(name, value) for name, value in variables.items()).encode()


def is_text(value: str) -> bool:
    """Whether the system can take it: no zero byte, and no half of a letter, as JSON can have it."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _exported(name: str, value: str) -> str:
    if not _VARIABLE.fullmatch(name) or not is_text(value):
        raise NotText(f"The environment variable {name!r} cannot be given to a program")
    return f"export {name}={shlex.quote(value)}\n"
