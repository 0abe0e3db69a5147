"""Which sandbox this machine has: each kind is tried once, with a real world, from the best down."""

import logging
import subprocess
import sys
import tempfile
from functools import lru_cache
from pathlib import Path

from passrole.runtimes import containers
from passrole.runtimes.containers import EngineMissing
from passrole.runtimes.sandbox.bubblewrap import Bubblewrap
from passrole.runtimes.sandbox.container import InContainer
from passrole.runtimes.sandbox.interface import Sandbox
from passrole.runtimes.sandbox.plain import Plain
from passrole.runtimes.sandbox.serial import Serial
from passrole.runtimes.sandbox.unshare import Unshare
from passrole.runtimes.sandbox.world import World

log = logging.getLogger(__name__)

AUTO = "auto"
_TRY_SECONDS = 20
_NONE = Plain()
SERIAL = Serial()


class SandboxMissing(Exception):
    """The sandbox that was asked for does not work here; the message says why and what to install."""


def chosen(name: str = AUTO, engine: str = containers.AUTO) -> Sandbox:
    """The sandbox of this name; for `auto` the best that works here. `engine` is the setting `containers`.

    Raises SandboxMissing.
    """
    if name == _NONE.name:
        return _NONE
    if name == SERIAL.name:  # nothing but its name chooses it
        if reason := SERIAL.why_not():
            raise SandboxMissing(f"the sandbox `{SERIAL.name}` does not work: {reason}")
        return SERIAL
    reasons: dict[str, str] = {}
    for kind in _kinds(engine):
        if name in (AUTO, kind.name):
            reason = why_not(kind)
            if reason is None:
                return kind
            reasons[kind.name] = reason
    raise SandboxMissing(_advice(reasons))


@lru_cache
def at_best(name: str = AUTO, engine: str = containers.AUTO) -> Sandbox:
    """As `chosen`; where `auto` finds none that works, a program runs unconfined, and the log tells so once.

    For functions and EMR steps, which, unlike jobs, need no folders that only a sandbox can show. Raises
    SandboxMissing.
    """
    try:
        found = chosen(name, engine)
        if found == SERIAL:
            log.warning("functions, EMR steps and jobs run unconfined, with the rights of this user")
        return found
    except SandboxMissing as error:
        if name != AUTO:
            raise
        log.warning("functions and EMR steps run unconfined, with the rights of this user: %s", error)
        return _NONE


@lru_cache
def why_not(kind: Sandbox) -> str | None:
    """Why this kind does not work on this machine, in the words of whoever refuses; None where it does."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder).resolve()
        target = Path("/opt/ml")
        world = World(work=target, writable={target: source}, hidden=(source,))
        program = ["/bin/sh", "-c", f": > made; [ ! -e '{source}/made' ]"]
        command: list[str] = []
        try:
            command = kind.command(world, program, tied=True)
            done = subprocess.run(  # noqa: S603 (nothing in it comes from outside)
                command,
                capture_output=True,
                text=True,
                timeout=_TRY_SECONDS,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                check=False,
            )
        except FileNotFoundError:
            return f"`{command[0]}` is not installed"
        except (OSError, subprocess.TimeoutExpired, EngineMissing) as error:
            return str(error)
        if done.returncode == 0 and (source / "made").exists():
            return None
        return next(iter(done.stderr.strip().splitlines()), f"it ended with exit code {done.returncode}")


def _kinds(engine: str) -> tuple[Sandbox, ...]:
    return Bubblewrap(), Unshare(), InContainer(engine)


def _advice(reasons: dict[str, str]) -> str:
    found = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
    if not sys.platform.startswith("linux"):
        return (
            f"programs of users cannot be confined on this system ({found}): run passrole on Linux, "
            f"or set `sandbox` to `{SERIAL.name}`, which confines nothing and runs one job at a time"
        )
    return (
        f"programs of users cannot be confined here ({found}): install bubblewrap, "
        "and let users of this machine have namespaces; or install podman or docker"
    )
