"""A virtual environment of a job's own upon the user's, so that `pip install` changes nothing outside.

`pip --target` would not do: it installs packages again that the user has, and needs an index for that. In a
layer pip sees what the user has installed, keeps it, and puts the rest into the layer. Only files are
written, for no program of the user's may run outside of the sandbox; the folder may be shown at another path.
https://docs.python.org/3/library/site.html, https://peps.python.org/pep-0405/
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

PROGRAMS = ("python", "python3", "pip", "pip3")
"""Programs that a layer has, whatever the environment calls its own."""

_PIP_SETTINGS = "pip.conf"
_CONFIGURATION = "pyvenv.cfg"
_VERSION = re.compile(r"python(3\.\d+)$", re.ASCII)
_PIP = '#!/bin/sh\nexec "$(dirname "$0")/python" -m pip "$@"\n'
"""pip's own program has the path of its Python written into it, which is the user's and read-only."""

_WHEELS = ("lib/python{version}/ensurepip/_bundled", "share/python-wheels")
"""Where an installation of Python, or Debian's, has pip for environments that have none, such as uv's."""


def create(place: Path, environment: Path, upon: Path | None = None) -> bool:
    """Make the layer, unless `environment` has no Python; whether it is there. Raises OSError.

    `upon`: another layer upon the same environment, which is seen first.
    """
    python = next(filter(Path.exists, (environment / "bin" / name for name in ("python", "python3"))), None)
    version = python and _VERSION.search(str(python.resolve()))
    if python is None or not version:
        return False
    name = f"python{version[1]}"
    programs, packages = place / "bin", _packages(place, version[1])
    for folder in (programs, packages):
        folder.mkdir(parents=True, exist_ok=True)
    for each in ("python", "python3", name):
        (programs / each).symlink_to(python)
    for each in ("pip", "pip3"):
        (programs / each).write_text(_PIP)
        (programs / each).chmod(0o755)
    (place / _CONFIGURATION).write_text(_configuration(environment))
    lower = [] if upon is None else [_added(upon, version[1])]
    (packages / "under.pth").write_text("".join([*lower, *_lower(environment, version[1])]))
    configuration = next(filter(Path.is_file, (environment / _PIP_SETTINGS, *_pip_settings_of_user())), None)
    if configuration is not None:
        shutil.copyfile(configuration, place / _PIP_SETTINGS)
    return True


def _pip_settings_of_user() -> Iterator[Path]:
    """Where pip looks, such as for an index of one's own: a job has another home.

    https://pip.pypa.io/en/stable/topics/configuration/#location
    """
    home = Path.home()
    yield from (home / ".config/pip" / _PIP_SETTINGS, home / ".pip" / _PIP_SETTINGS)


def _configuration(environment: Path) -> str:
    """What makes a folder an environment: where its Python is installed, and whether it sees the packages of
    the installation, as those who use the installation itself do.
    """
    own = environment / _CONFIGURATION
    if own.exists():
        return own.read_text()
    return f"home = {environment / 'bin'}\ninclude-system-site-packages = true\n"


def _lower(environment: Path, version: str) -> Iterator[str]:
    """Lines of a .pth file: the packages of the user's environment, and pip if that has none."""
    packages = _packages(environment, version)
    if (environment / _CONFIGURATION).exists():
        yield _added(environment, version)
    if not (packages / "pip").exists():
        installation = _home(environment).parent
        for folder in _WHEELS:
            yield from (
                f"{wheel}\n"
                for wheel in sorted((installation / folder.format(version=version)).glob("pip-*.whl"))
            )


def _added(environment: Path, version: str) -> str:
    return f"import site; site.addsitedir({str(_packages(environment, version))!r})\n"


def _packages(environment: Path, version: str) -> Path:
    return environment / "lib" / f"python{version}" / "site-packages"


def _home(environment: Path) -> Path:
    """The folder of the installed Python's programs."""
    for line in _configuration(environment).splitlines():
        name, _, value = line.partition("=")
        if name.strip() == "home":
            return Path(value.strip())
    return environment / "bin"
