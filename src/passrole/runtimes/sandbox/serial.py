"""No sandbox, but /opt/ml: a link there leads to the folder of one job, and the jobs take turns.

For systems on which nothing confines, such as macOS. It is never taken unless it is asked for by name: a
program can read and write what its user can. Only jobs need it; functions and EMR steps run as without a
sandbox.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from passrole.runtimes.sandbox import serial_client
from passrole.runtimes.sandbox.world import World

PLACE = Path("/opt/ml")
OWN_NAME = ".passrole-ml"
"""The name of a link to which PLACE may lead, so that a user need not be root to change it."""


@dataclass(frozen=True)
class Serial:
    """See interface.Sandbox."""

    place: Path = PLACE
    name: str = "serial"
    confines: bool = False
    shows: bool = True
    remark: str = ""

    @property
    def _link(self) -> Path:
        to = (
            Path(os.path.normpath(self.place.parent / self.place.readlink()))
            if self.place.is_symlink()
            else None
        )
        return to if to is not None and to.name == OWN_NAME else self.place

    def command(self, world: World, program: Sequence[str], *, tied: bool) -> list[str]:
        """See interface.Sandbox. The link is there while the program runs, one after another."""
        request = {
            "link": str(self._link),
            "place": str(self.place),
            "lock": str(serial_client.lock_of(self._link)),
            "target": str(world.writable[self.place]),
            "work": str(world.work),
            "tied": tied,
        }
        return [sys.executable, "-I", "-S", str(serial_client.__file__), json.dumps(request), *program]

    def why_not(self) -> str | None:
        """What keeps the link from being made; None where nothing does."""
        link = self._link
        if not serial_client.is_ours(link):
            return f"`{link}` is there already: move it away"
        if not os.access(link.parent, os.W_OK):
            own = Path.home() / OWN_NAME
            return f"`{link.parent}` cannot be written to: run `sudo ln -s {own} {self.place}` once"
        return None

    def forget(self, target: Path) -> None:
        """Remove the link to a folder whose program was killed together with what would have removed it."""
        serial_client.remove(str(self._link), str(target))
