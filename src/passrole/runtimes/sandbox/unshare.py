"""util-linux's `unshare`, `mount` and `setpriv`: the same namespaces by hand, for root alone.

A shell makes the mounts, stays as process 1 and passes TERM on. The program has no capability and cannot get
one, so that it undoes no mount; devices and the kernel's settings are root's to change, and are kept from it.
https://man7.org/linux/man-pages/man1/unshare.1.html, https://man7.org/linux/man-pages/man1/setpriv.1.html
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from passrole.runtimes.sandbox.world import TMP, Mount, World, layout

_NAMESPACES = ("--mount", "--pid", "--fork", "--ipc", "--uts", "--propagation", "private")
_TIE = ("setpriv", "--pdeathsig", "KILL", "--")
_MACHINE = Path("/mnt/machine")
"""Where the shell still sees the whole machine while it makes the world."""

_OPEN = f"mount -t tmpfs sandbox {_MACHINE.parent}; mkdir {_MACHINE}; mount --rbind / {_MACHINE}"
_CLOSE = f"umount -l {_MACHINE.parent}"
_READ_ONLY = (
    "while read -r _ _ _ _ target _; do"
    f' case "$target" in {_MACHINE.parent}|{_MACHINE}|{_MACHINE}/*|{TMP}|/proc|/proc/*) ;;'
    ' *) mount -o remount,bind,ro "$target" 2> /dev/null || : ;; esac;'
    " done < /proc/self/mountinfo"
)
_DEVICES = (
    "mount -t tmpfs -o mode=755 sandbox /dev; mkdir /dev/shm /dev/pts; mount -t tmpfs sandbox /dev/shm;"
    " mount -t devpts -o newinstance,ptmxmode=0666 sandbox /dev/pts; ln -s pts/ptmx /dev/ptmx;"
    " for device in null zero full random urandom tty; do"
    f' : > "/dev/$device"; mount --bind "{_MACHINE}/dev/$device" "/dev/$device"; done;'
    " ln -s /proc/self/fd /dev/fd; ln -s fd/0 /dev/stdin; ln -s fd/1 /dev/stdout; ln -s fd/2 /dev/stderr"
)
_PROCESSES = (
    "mount -t proc proc /proc; for setting in sys sysrq-trigger irq bus; do"
    ' if [ -e "/proc/$setting" ]; then mount --bind "/proc/$setting" "/proc/$setting";'
    ' mount -o remount,bind,ro "/proc/$setting"; fi; done'
)
_POWERLESS = "setpriv --no-new-privs --bounding-set=-all --inh-caps=-all --ambient-caps=-all --"
_RUN = (  # a command in the background would have no standard input but by another number
    f'exec 3<&0; {_POWERLESS} "$@" <&3 3<&- & program=$!; exec 3<&- < /dev/null;'
    " trap 'kill -TERM \"$program\"' TERM;"
    ' while :; do wait "$program"; code=$?; kill -0 "$program" 2> /dev/null || exit "$code"; done'
)


class Unshare:
    """See interface.Sandbox."""

    name = "unshare"
    confines = True

    def command(self, world: World, program: Sequence[str], *, tied: bool) -> list[str]:
        """See interface.Sandbox."""
        script = "\n".join(["set -e", *_preparation(world), "set +e", _RUN])
        return [
            *(_TIE if tied else ()),
            "unshare",
            *_NAMESPACES,
            *(() if world.network else ("--net",)),
            *(("--kill-child",) if tied else ()),
            *("/bin/sh", "-c", script, "sandbox", *program),
        ]


def _preparation(world: World) -> Iterator[str]:
    """Shell commands: places are made, then all is made read-only, then what can be written to is shown."""
    mounts = layout(world)
    yield _OPEN
    for mount in mounts.renewed:
        yield from _shown(replace(mount, writable=True))  # until everything is made read-only
    yield _temporary(world)
    yield from map(_place, _without_what_hidden_folders_have(mounts.shown))
    yield _READ_ONLY
    yield from (command for mount in mounts.shown for command in _shown(mount))
    yield f"printf %s {shlex.quote(world.hostname)} > /proc/sys/kernel/hostname"
    yield _DEVICES
    yield _PROCESSES
    yield _CLOSE
    yield f"cd {_quoted(world.work)}"


def _temporary(world: World) -> str:
    if world.temporary is None:
        return f"mount -t tmpfs -o mode=1777,size={world.temporary_bytes} sandbox {TMP}"
    return f"mount --bind {_on_machine(world.temporary)} {TMP}"


def _place(mount: Mount) -> str:
    """Have a place for the mount; where nothing can be made there, mounting fails with a message."""
    target = _quoted(mount.target)
    is_folder = mount.source is None or mount.source.is_dir()
    make = f"mkdir -p {target}" if is_folder else f"mkdir -p {target}/..; : >> {target}"
    return f"[ -e {target} ] || {{ {make}; }}"


def _without_what_hidden_folders_have(mounts: Sequence[Mount]) -> Iterator[Mount]:
    """A place in a hidden folder is made when that is empty: the real one is not changed."""
    hidden = [mount.target for mount in mounts if mount.source is None]
    return (mount for mount in mounts if set(hidden).isdisjoint(mount.target.parents))


def _shown(mount: Mount) -> Iterator[str]:
    target = _quoted(mount.target)
    if mount.link is not None:
        yield f"ln -s {shlex.quote(mount.link)} {target}"
        return
    yield _place(mount)
    if mount.source is None:
        yield f"mount -t tmpfs -o mode=755 sandbox {target}"
        return
    yield f"mount --rbind {_on_machine(mount.source)} {target}"
    if not mount.writable:
        yield f"mount -o remount,bind,ro {target}"


def _on_machine(source: Path) -> str:
    return _quoted(_MACHINE / source.relative_to("/"))


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
