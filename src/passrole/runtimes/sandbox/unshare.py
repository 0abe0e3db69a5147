"""util-linux's `unshare` and `setpriv`: the same namespaces as bubblewrap's by hand, for root alone.

`mounts.py` makes the world and gives up every capability; a shell stays as process 1 and passes TERM on. The
program can get no capability, so that it undoes no mount; devices and the kernel's settings are root's to
change, and are kept from it.
https://man7.org/linux/man-pages/man1/unshare.1.html, https://man7.org/linux/man-pages/man7/capabilities.7.html
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from passrole.runtimes.sandbox import mounts
from passrole.runtimes.sandbox.world import TMP, Mount, World, layout

_NAMESPACES = ("--mount", "--pid", "--fork", "--ipc", "--uts", "--propagation", "private")
TIE = ("setpriv", "--pdeathsig", "KILL", "--")
_MACHINE = Path("/mnt/machine")
"""Where the whole machine is still seen while the world is made."""

# imported, it need not be compiled; the path has the standard library first
_MAKE = "import sys; sys.path.append(sys.argv.pop(1)); import mounts; mounts.main()"

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = (
    ("pts/ptmx", "ptmx"),
    ("/proc/self/fd", "fd"),
    ("fd/0", "stdin"),
    ("fd/1", "stdout"),
    ("fd/2", "stderr"),
)
_KERNEL = ("sys", "sysrq-trigger", "irq", "bus")
"""In /proc: where root, even without a capability, could change the machine's kernel."""

PROCESS_ONE = (  # a command in the background would have no standard input but by another number
    'exec 3<&0; "$@" <&3 3<&- & program=$!; exec 3<&- < /dev/null 2> /dev/null;'
    " trap 'kill -TERM \"$program\"' TERM;"
    ' while :; do wait "$program"; code=$?; kill -0 "$program" 2> /dev/null || exit "$code"; done'
)

Step = tuple[str, ...]
"""The name of a function of mounts.py, and its arguments."""


@dataclass(frozen=True)
class Unshare:
    """See interface.Sandbox."""

    name: str = "unshare"
    confines: bool = True
    shows: bool = True
    remark: str = ""

    def command(self, world: World, program: Sequence[str], *, tied: bool) -> list[str]:
        """See interface.Sandbox."""
        return [
            *(TIE if tied else ()),
            "unshare",
            *_NAMESPACES,
            *(() if world.network else ("--net",)),
            *(("--kill-child",) if tied else ()),
            *(sys.executable, "-I", "-S", "-c", _MAKE, str(Path(mounts.__file__).parent)),
            *(word for step in _steps(world) for word in (str(len(step)), *step)),
            "0",
            *("/bin/sh", "-c", PROCESS_ONE, "sandbox", *program),
        ]


def _steps(world: World) -> Iterator[Step]:
    """Places are made, then all is made read-only, then what can be written to is shown."""
    made = layout(world)
    yield ("mount", "sandbox", str(_MACHINE.parent), "tmpfs", "")
    yield ("folder", str(_MACHINE))
    yield ("bind", "/", str(_MACHINE))
    for one in made.renewed:
        yield from _shown(one)  # writable until everything is made read-only
    yield from _temporary(world)
    yield from map(_place, _outermost(made.shown))
    yield ("read_only", "/", str(_MACHINE.parent), str(TMP), "/proc")
    for one in made.shown:
        yield from _shown(one)
        if one.source is not None and not one.writable:
            yield ("read_only", str(one.target))
    yield ("host_name", world.hostname)
    yield from _devices()
    yield from _processes()
    yield ("unmount", str(_MACHINE.parent))
    yield ("enter", str(world.work))
    yield ("powerless",)


def _temporary(world: World) -> Iterator[Step]:
    if world.temporary is None:
        yield ("mount", "sandbox", str(TMP), "tmpfs", f"mode=1777,size={world.temporary_bytes}")
    else:
        yield ("bind", _on_machine(world.temporary), str(TMP))


def _place(mount: Mount) -> Step:
    """Have a place for the mount; where nothing can be made there, it fails with a message."""
    is_folder = mount.source is None or mount.source.is_dir()
    return ("folder" if is_folder else "file", str(mount.target))


def _outermost(shown: Sequence[Mount]) -> Iterator[Mount]:
    """A place in a folder that is hidden or shown is made there later: the machine's own is not changed."""
    targets = {mount.target for mount in shown}
    return (mount for mount in shown if targets.isdisjoint(mount.target.parents))


def _shown(mount: Mount) -> Iterator[Step]:
    target = str(mount.target)
    if mount.link is not None:
        yield ("link", mount.link, target)
        return
    yield _place(mount)
    if mount.source is None:
        yield ("mount", "sandbox", target, "tmpfs", "mode=755")
    else:
        yield ("bind", _on_machine(mount.source), target)


def _devices() -> Iterator[Step]:
    yield ("mount", "sandbox", "/dev", "tmpfs", "mode=755")
    for name in ("shm", "pts"):
        yield ("folder", f"/dev/{name}")
    yield ("mount", "sandbox", "/dev/shm", "tmpfs", "")  # noqa: S108 (the sandbox's own)
    yield ("mount", "sandbox", "/dev/pts", "devpts", "newinstance,ptmxmode=0666")
    for name in _DEVICES:
        yield ("file", f"/dev/{name}")
        yield ("bind", f"{_MACHINE}/dev/{name}", f"/dev/{name}")
    for to, name in _LINKS:
        yield ("link", to, f"/dev/{name}")


def _processes() -> Iterator[Step]:
    yield ("mount", "proc", "/proc", "proc", "")
    for name in _KERNEL:
        yield ("bind_if_there", f"/proc/{name}", f"/proc/{name}")
        yield ("read_only", f"/proc/{name}")


def _on_machine(source: Path) -> str:
    return str(_MACHINE / source.relative_to("/"))
