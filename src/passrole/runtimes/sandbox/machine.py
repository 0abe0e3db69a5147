"""What every program of a user sees of this machine, before its own folders are added.

The data folder seems empty. passrole's Python and its packages are there also where they are installed below
/tmp or in the data folder. What the setting `shared_paths` names is there, and can be written to.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import passrole
from passrole.config import Config, ConfigError
from passrole.runtimes.sandbox.interface import Sandbox
from passrole.runtimes.sandbox.ladder import SandboxMissing, at_best
from passrole.runtimes.sandbox.world import TMP, World

_PACKAGES = Path(passrole.__file__).parents[1]


def sandbox(config: Config) -> Sandbox:
    """What confines functions and EMR steps on this machine. Raises ConfigError where what was set does not
    work.
    """
    try:
        return at_best(config.sandbox, config.containers)
    except SandboxMissing as error:
        raise ConfigError(f"setting `sandbox` is `{config.sandbox}`: {error}") from error


def world(config: Config, work: Path) -> World:
    """The world of a program that runs in `work`. Raises ConfigError for a path that cannot be shared."""
    data = config.data.resolve()
    return World(
        work=work,
        writable={path: path for path in shared(config)},
        # the first of the path is where the server was started, or its program
        readable=visible([_PACKAGES, sys.prefix, sys.base_prefix, *filter(None, sys.path[1:])], data),
        hidden=(data,),
    )


def shared(config: Config) -> list[Path]:
    """The folders and files that every program may write to. Raises ConfigError."""
    data = config.data.resolve()
    paths = [path.resolve() for path in config.shared_paths.paths]
    for path in paths:
        if not path.exists():
            raise ConfigError(f"setting `shared_paths` names `{path}`, which does not exist: make it first")
        if path.is_relative_to(data):
            raise ConfigError(f"setting `shared_paths` names `{path}`, which is in the data folder")
    return paths


def visible(paths: Iterable[str | Path], hidden: Path) -> Mapping[Path, Path]:
    """For a world's `readable`: those of the paths that would not be seen, each without those inside it."""
    found: dict[Path, Path] = {}
    for path in sorted({Path(path).absolute() for path in paths}):
        would_be_hidden = path.is_relative_to(TMP) or path.is_relative_to(hidden)
        if (
            would_be_hidden
            and path not in (TMP, hidden)
            and path.exists()
            and not any(map(path.is_relative_to, found))
        ):
            found[path] = path.resolve()
    return found
