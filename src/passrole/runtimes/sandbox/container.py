"""A container engine as a sandbox: docker, podman or finch, where nothing quicker works.

The image is empty, and the machine's own folders are mounted in it, so that the user's programs run as they
are. Hence the engine must run on this machine: the virtual machine of an engine on macOS has no program that
runs there. What confines is the engine; without capabilities, with a root that is read-only.

The container's processes are no descendants of whoever asks for it: `processes` finds them by its name.
"""

import hashlib
import json
import os
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from passrole.runtimes import containers, processes
from passrole.runtimes.containers import Engine
from passrole.runtimes.sandbox import container_client, mounts
from passrole.runtimes.sandbox.unshare import PROCESS_ONE, TIE
from passrole.runtimes.sandbox.world import TMP, World, layout

_ROOT = Path("/")
_OF_THE_ENGINE = (Path("/proc"), Path("/sys"), Path("/dev"))
_STORES = ("/var/lib/containers", "/var/lib/containerd", "/var/lib/docker")
_STORES_OF_HOME = (".local/share/containers", ".local/share/docker")
"""Where engines keep the files of containers, and mount them while they run."""

_OF_THE_CLIENT = (
    "CONTAINERS_CONF",
    "CONTAINERS_STORAGE_CONF",
    "CONTAINER_HOST",
    "DBUS_SESSION_BUS_ADDRESS",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "HOME",
    "PATH",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
)
"""Variables by which an engine's program finds its service and its settings."""


@dataclass(frozen=True)
class InContainer:
    """See interface.Sandbox. `engine` is the setting `containers`."""

    engine: str = containers.AUTO
    name: str = "container"
    confines: bool = True
    shows: bool = True
    remark: str = ", and each start takes some tenths of a second; bubblewrap is quicker"

    def command(self, world: World, program: Sequence[str], *, tied: bool) -> list[str]:
        """See interface.Sandbox. Raises EngineMissing."""
        engine, name = _engine(self.engine), f"{processes.CONTAINER}{uuid.uuid4().hex}"
        folders, links, view = _view(world)
        content = json.dumps([folders, links])
        request = {
            "engine": engine.program,
            "environment": {each: os.environ[each] for each in _OF_THE_CLIENT if each in os.environ},
            "image": f"passrole-sandbox:{hashlib.sha256(content.encode()).hexdigest()[:16]}",
            "folders": folders,
            "links": links,
            "name": name,
            "options": [*_options(engine, world), *_mounts(engine, view, world)],
        }
        return [
            *(TIE if tied else ()),
            *(sys.executable, "-I", "-S", str(container_client.__file__), json.dumps(request)),
            *("/bin/sh", "-c", PROCESS_ONE, name, *program),
        ]


@dataclass(frozen=True)
class _Shown:
    """What is mounted at a path; without a source an empty folder in memory."""

    source: Path | None
    writable: bool = False


_View = dict[Path, _Shown]


@lru_cache
def _engine(setting: str) -> Engine:
    return containers.found(setting)


def _options(engine: Engine, world: World) -> Iterator[str]:
    yield from ("--pull", "never", "--read-only", "--log-driver", "none", "--stop-timeout", "0")
    yield from ("--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    yield from ("--network", "host" if world.network else "none", "--hostname", world.hostname)
    yield from ("--workdir", str(world.work))
    if engine.name != "finch":
        yield from ("--security-opt", "label=disable")  # else SELinux hides the machine's own files
    if engine.name == "podman":
        yield from ("--read-only-tmpfs=false", "--no-hosts", "--http-proxy=false", *containers.limits())
    if engine.as_user:
        yield from ("--user", f"{os.getuid()}:{os.getgid()}")


def _view(world: World) -> tuple[list[str], list[tuple[str, str]], _View]:
    """The folders and links of the image, and what is mounted in it.

    A folder in which something new is shown is one of the image, and so are those above it: an engine mounts
    no links, so that they have to be the image's, too.
    """
    made = layout(world)
    renewed = {mount.target for mount in made.renewed if mount.source is None}
    opened = {_ROOT, *renewed, *(parent for folder in renewed for parent in folder.parents)}
    links: list[tuple[str, str]] = []
    view: _View = {}
    for folder in sorted(opened):
        for entry in sorted(folder.iterdir()):
            if entry.is_symlink():
                links.append((str(entry), str(entry.readlink())))
            elif entry not in opened and entry not in _OF_THE_ENGINE and (entry.is_dir() or entry.is_file()):
                view[entry] = _Shown(entry)
    view |= {store: _Shown(None) for store in _stores()}
    view[TMP] = _Shown(world.temporary, writable=True)
    view |= {mount.target: _Shown(mount.source, mount.writable) for mount in made.shown}
    view |= _inner(view)
    return [str(folder) for folder in sorted(opened - {_ROOT})], links, view


def _stores() -> Iterator[Path]:
    home = Path.home()
    for store in (*map(Path, _STORES), *(home / name for name in _STORES_OF_HOME)):
        if store.is_dir() and not store.is_symlink():
            yield store


def _inner(shown_at: _View) -> _View:
    """What is mounted in a folder that is shown read-only, and would be writable: engines leave it so."""
    places = [Path(place) for place, _ in mounts.mounted()]
    found: _View = {}
    for target, shown in shown_at.items():
        if shown.source is None or shown.writable:
            continue
        for place in places:
            if shown.source in place.parents:
                inside = target / place.relative_to(shown.source)
                outer = next(each for each in (inside, *inside.parents) if each in shown_at)
                if outer == target and os.access(place, os.F_OK):
                    found[inside] = _Shown(place)
    return found


def _mounts(engine: Engine, view: _View, world: World) -> Iterator[str]:
    # podman would copy what it hides
    empty = ("notmpcopyup",) if engine.name == "podman" else ()
    for target, shown in sorted(view.items()):
        if shown.source is not None:
            words = ["type=bind", f"source={shown.source}", f"target={target}"]
            yield from ("--mount", _csv(words if shown.writable else [*words, "readonly"]))
        elif target == TMP:
            words = ["exec", "mode=1777", f"size={world.temporary_bytes}"]
            yield from ("--tmpfs", f"{TMP}:{','.join((*empty, *words))}")
        else:
            yield from ("--mount", _csv(["type=tmpfs", f"target={target}", "tmpfs-mode=0755", *empty]))


def _csv(words: Sequence[str]) -> str:
    """As the engines read it: a word in quotes may have a comma."""
    return ",".join('"' + word.replace('"', '""') + '"' for word in words)
