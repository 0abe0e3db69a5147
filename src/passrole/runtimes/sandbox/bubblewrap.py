"""Bubblewrap: namespaces for anybody, where the kernel lets users have them.

Bubblewrap is process 1 inside, and its environment can be read there: it has no secret.
A signal to bubblewrap itself kills the program without warning; see `processes.program`.
https://github.com/containers/bubblewrap
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from passrole.runtimes.sandbox.world import TMP, Mount, World, layout

_NAMESPACES = ("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--new-session", "--cap-drop", "ALL")

_KERNEL = ("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus")
"""Where root, even without a capability, could change the machine's kernel."""


@dataclass(frozen=True)
class Bubblewrap:
    """See interface.Sandbox."""

    name: str = "bubblewrap"
    confines: bool = True
    shows: bool = True
    remark: str = ""

    def command(self, world: World, program: Sequence[str], *, tied: bool) -> list[str]:
        """See interface.Sandbox."""
        return [
            shutil.which("bwrap") or "bwrap",
            *_NAMESPACES,
            *(() if world.network else ("--unshare-net",)),
            *(("--die-with-parent",) if tied else ()),
            *("--hostname", world.hostname),
            *_mounts(world),
            *("--chdir", str(world.work), "--", *program),
        ]


def _mounts(world: World) -> Iterator[str]:
    mounts = layout(world)
    if mounts.whole:
        yield from ("--ro-bind", "/", "/")
    for mount in mounts.renewed:
        yield from _shown(mount, "--ro-bind-try")
    yield from ("--dev", "/dev", "--proc", "/proc")
    for setting in _KERNEL:
        yield from ("--ro-bind-try", setting, setting)
    if world.temporary is None:
        yield from ("--size", str(world.temporary_bytes), "--tmpfs", str(TMP))
    else:
        yield from ("--bind", str(world.temporary), str(TMP))
    for mount in mounts.shown:
        yield from _shown(mount, "--bind" if mount.writable else "--ro-bind")


def _shown(mount: Mount, how: str) -> tuple[str, ...]:
    if mount.link is not None:
        return ("--symlink", mount.link, str(mount.target))
    if mount.source is None:
        return ("--tmpfs", str(mount.target))
    return (how, str(mount.source), str(mount.target))
