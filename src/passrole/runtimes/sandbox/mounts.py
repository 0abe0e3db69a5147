"""Makes the world of a sandbox in a new mount namespace, gives up every right, and becomes its process 1.

`unshare` runs it (unshare.py) before anything of a user. It imports nothing of passrole, and nothing that it
does not need: it is in the way of every cold start. A program for each mount took four times as long.
https://man7.org/linux/man-pages/man2/mount.2.html
"""

import ctypes
import os
import sys

NOSUID, NODEV, NOEXEC, RDONLY, REMOUNT = 2, 4, 8, 1, 32
BIND, RECURSIVE, DETACH = 4096, 16384, 2
_KEPT = {
    "nosuid": NOSUID,
    "nodev": NODEV,
    "noexec": NOEXEC,
    "noatime": 1024,
    "nodiratime": 2048,
    "relatime": 1 << 21,
}
"""Options of a mount that making it read-only must not take away."""

_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _CLEAR_ALL = 24, 38, 47, 4
_CAPABILITIES = 64
_CAPABILITY_VERSION = 0x20080522
_libc = ctypes.CDLL(None, use_errno=True)


def mount(source: str, target: str, kind: str, options: str) -> None:
    """Mount a file system of the kernel."""
    _mount(source, target, kind, 0, options)


def bind(source: str, target: str) -> None:
    """Show a folder or file, and what is mounted in it, at another path."""
    _mount(source, target, "", BIND | RECURSIVE)


def bind_if_there(source: str, target: str) -> None:
    """As `bind`, where there is such a source."""
    if os.path.exists(source):
        bind(source, target)


def read_only(below: str, *but: str) -> None:
    """Make every mount at and below a path read-only, but for those at and below others."""
    for target, options in mounted():
        if _is_in(target, below) and not any(_is_in(target, other) for other in but):
            kept = sum(_KEPT.get(option, 0) for option in options)
            try:
                _mount("", target, "", REMOUNT | BIND | RDONLY | kept)
            except OSError:  # beneath another mount, where nobody sees it
                if target == below:
                    raise


def mounted() -> list[tuple[str, list[str]]]:
    """Where each mount is, and its options."""
    with open("/proc/self/mountinfo", "rb") as lines:
        fields = [line.split(b" ") for line in lines]
    return [(_plain(each[4]), os.fsdecode(each[5]).split(",")) for each in fields]


def unmount(target: str) -> None:
    """Take away a mount, and what is mounted in it."""
    _checked(_libc.umount2(os.fsencode(target), DETACH), target)


def folder(path: str) -> None:
    """Have a folder there."""
    os.makedirs(path, exist_ok=True)


def file(path: str) -> None:
    """Have a file there."""
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))


def link(to: str, path: str) -> None:
    """Make a link."""
    os.symlink(to, path)


def host_name(name: str) -> None:
    """Name the host."""
    given = os.fsencode(name)
    _checked(_libc.sethostname(given, len(given)), name)


def enter(path: str) -> None:
    """Go to a folder."""
    os.chdir(path)


def powerless() -> None:
    """Give up every capability, also those that a program could bring."""
    _libc.prctl(_PR_CAP_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    for capability in range(_CAPABILITIES):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # one that the kernel has not cannot be dropped
    _checked(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    _checked(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capabilities")


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    words = map(os.fsencode, (source, target, kind))
    _checked(_libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(options)), f"{source} {target}")


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _plain(field: bytes) -> str:
    """Without the kernel's escapes: a backslash and three octal digits."""
    first, *rest = field.split(b"\\")
    return os.fsdecode(first + b"".join(bytes([int(part[:3], 8)]) + part[3:] for part in rest))


def _is_in(path: str, outer: str) -> bool:
    return path == outer or outer == "/" or path.startswith(outer + "/")


_STEPS = {
    each.__name__: each
    for each in (
        mount,
        bind,
        bind_if_there,
        read_only,
        unmount,
        folder,
        file,
        link,
        host_name,
        enter,
        powerless,
    )
}


def main() -> None:
    """Take every step, then become the command. The arguments: of each step the number of its words and these
    words, which are the name of a function here and its arguments; then 0, then the command.
    """
    words = iter(sys.argv[1:])
    try:
        while count := int(next(words)):
            name, *arguments = (next(words) for _ in range(count))
            _STEPS[name](*arguments)
        command = list(words)
        os.execv(command[0], command)  # noqa: S606 (there is nothing to quote)
    except OSError as error:
        sys.exit(f"sandbox: {error.strerror}: {error.filename}")
