"""What a program in a sandbox sees of the machine, and what is hidden from every one."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

TMP = Path("/tmp")  # noqa: S108 (the sandbox's own)
_ROOT = Path("/")

_SOCKETS = Path("/run")
"""Here other services listen, a container engine among them: whoever reaches that is root on the machine."""

_RESOLVERS = (Path("/run/systemd/resolve"), Path("/run/resolvconf"), Path("/run/NetworkManager"))
"""Where /etc/resolv.conf may point to."""

_SECRETS = (".aws", ".azure", ".config/gcloud", ".docker", ".gnupg", ".kube", ".ssh")
"""Folders of a home in which programs keep what opens other doors."""


@dataclass(frozen=True)
class Mount:
    """A folder or file of the machine, `source`, that is shown at `target`; without one, an empty folder.

    A `link` is made again as one: shown as a folder, it would show what is hidden where it leads to.
    """

    source: Path | None
    target: Path
    writable: bool = False
    link: str | None = None


@dataclass(frozen=True)
class World:
    """The machine as it is, read-only, but for what is said here. All paths are absolute, without links.

    `writable` and `readable` show a folder or file of the machine (the value) at a path (the key). `hidden`
    are folders that seem empty. Of two of them the deeper path wins, so that a folder inside of a hidden one
    can be shown, and one inside of a shown one hidden. `temporary` is shown as /tmp; without it /tmp is
    empty, in memory, and holds at most `temporary_bytes`. Without `network` there is none, not even the
    gateway.
    """

    work: Path
    writable: Mapping[Path, Path] = field(default_factory=dict)
    readable: Mapping[Path, Path] = field(default_factory=dict)
    hidden: tuple[Path, ...] = ()
    temporary: Path | None = None
    temporary_bytes: int = 512 << 20
    hostname: str = "localhost"
    network: bool = True


@dataclass(frozen=True)
class Layout:
    """The mounts of a world on this machine, in the order in which they are made.

    `whole`: the root is shown as it is; else it begins empty. `renewed` are folders that are made anew in
    memory, each with what is shown again in it. `shown` comes last. A folder comes before what is shown or
    hidden inside it.
    """

    whole: bool
    renewed: tuple[Mount, ...]
    shown: tuple[Mount, ...]


def layout(world: World) -> Layout:
    """What has to be mounted for this world. Reads the machine's folders."""
    shown = [Mount(source, target, True) for target, source in world.writable.items()]
    shown += [Mount(source, target) for target, source in world.readable.items()]
    targets = [mount.target for mount in shown]
    hidden = [
        folder
        for folder in [*_hidden_from_all(), *world.hidden]
        if folder.is_dir() and (TMP not in folder.parents or not set(targets).isdisjoint(folder.parents))
    ]
    renewed = _renewed(targets, [TMP, *hidden])
    resolvers = [Mount(folder, folder) for folder in _RESOLVERS if folder.is_dir()]
    return Layout(
        whole=_ROOT not in renewed,
        renewed=tuple(mount for folder in sorted(renewed) for mount in _anew(folder, renewed[folder])),
        # the sort is stable: what is shown at the path of a hidden folder replaces it
        shown=tuple(sorted([*(Mount(None, folder) for folder in hidden), *resolvers, *shown], key=_depth)),
    )


def hosts_file(*names: str) -> str:
    """A file for /etc/hosts: what the machine has, and `names`, which lead to the machine itself."""
    try:
        before = Path("/etc/hosts").read_text()
    except OSError:
        before = "127.0.0.1 localhost\n"
    return before.rstrip("\n") + "\n" + "".join(f"127.0.0.1 {name}\n" for name in names)


def _anew(folder: Path, entries: Iterable[Path]) -> Iterator[Mount]:
    if folder != _ROOT:
        yield Mount(None, folder)
    for entry in entries:
        yield Mount(entry, entry, link=str(entry.readlink()) if entry.is_symlink() else None)


def _depth(mount: Mount) -> int:
    return len(mount.target.parts)


def _hidden_from_all() -> list[Path]:
    home = Path.home()
    return [_SOCKETS, *(home / name for name in _SECRETS)]


def _renewed(targets: list[Path], empty: list[Path]) -> dict[Path, list[Path]]:
    """Folders to be made anew, because something is shown in them where the machine has nothing and nothing
    can be created; with each, those of its entries that stay.
    """
    renewed: dict[Path, list[Path]] = {}
    for target in targets:
        others = [*empty, *(other for other in targets if other != target)]
        if target.exists() or any(target.is_relative_to(other) for other in others):
            continue
        outer = next(folder for folder in target.parents if folder.is_dir())
        renewed.setdefault(outer, sorted(outer.iterdir()))
    return renewed
