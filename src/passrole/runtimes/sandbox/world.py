"""What a program in a sandbox sees of the machine, and what is hidden from every one."""

from collections.abc import Mapping
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
    """A folder or file of the machine, `source`, that is shown at `target`."""

    source: Path
    target: Path
    writable: bool = False


@dataclass(frozen=True)
class World:
    """The machine as it is, read-only, but for what is said here. All paths are absolute, without links.

    `writable` and `readable` show a folder or file of the machine (the value) at a path (the key); of two
    the deeper path wins. `hidden` are folders that seem empty. `temporary` is shown as /tmp; without it /tmp
    is empty, in memory, and holds at most `temporary_bytes`. Without `network` there is none, not even the
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

    `whole`: the root is shown as it is; else `kept` has all of it that stays. `empty` are folders that are
    replaced by empty ones in memory, `kept` what is shown again in them.
    """

    whole: bool
    empty: tuple[Path, ...]
    kept: tuple[Path, ...]
    shown: tuple[Mount, ...]


def layout(world: World) -> Layout:
    """What has to be mounted for this world. Reads the machine's folders."""
    shown = [Mount(source, target, True) for target, source in world.writable.items()]
    shown += [Mount(source, target) for target, source in world.readable.items()]
    shown.sort(key=lambda mount: len(mount.target.parts))
    emptied = [folder for folder in _hidden_from_all() + list(world.hidden) if folder.is_dir()]
    renewed = _renewed([mount.target for mount in shown], [TMP, *emptied])
    return Layout(
        whole=_ROOT not in renewed,
        empty=(*(folder for folder in renewed if folder != _ROOT), *emptied),
        kept=(
            *(entry for entries in renewed.values() for entry in entries),
            *filter(Path.is_dir, _RESOLVERS),
        ),
        shown=tuple(shown),
    )


def hosts_file(*names: str) -> str:
    """A file for /etc/hosts: what the machine has, and `names`, which lead to the machine itself."""
    try:
        before = Path("/etc/hosts").read_text()
    except OSError:
        before = "127.0.0.1 localhost\n"
    return before.rstrip("\n") + "\n" + "".join(f"127.0.0.1 {name}\n" for name in names)


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
