"""A container engine for tests, and an image of a few programs of this machine: no registry, no network."""

import io
import os
import re
import shutil
import subprocess
import tarfile
from functools import lru_cache
from pathlib import Path

import pytest

from passrole.runtimes import containers
from passrole.runtimes.containers import Engine, EngineMissing

IMAGE = "localhost/passrole-test:1"
_PROGRAMS = ("cat", "env", "hostname", "id", "ls", "sh", "sleep")
_FOLDERS = ("dev", "etc", "opt", "proc", "sys", "tmp")


@lru_cache
def engine() -> Engine:
    """The machine's engine, which has the image. Skips the test where there is none that works."""
    try:
        found = containers.found(containers.AUTO)
    except EngineMissing as error:
        pytest.skip(f"no containers here: {error}")
    changes = ("--change", 'CMD ["/bin/sh", "-c", "echo the image itself"]', "--change", "ENV MADE=here")
    imported = subprocess.run(
        [found.program, "import", *changes, "-", IMAGE], input=_root(), capture_output=True, check=False
    )
    assert imported.returncode == 0, imported.stderr.decode()
    return found


def _root() -> bytes:
    """A root file system: the programs, and the libraries that each says it needs."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name in _FOLDERS:
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            tar.addfile(folder)
        added = {f"bin/{name}": shutil.which(name) for name in _PROGRAMS}
        for path in filter(None, list(added.values())):
            listed = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
            added |= {library.lstrip("/"): library for library in re.findall(r"/\S+", listed)}
        for inside, here in added.items():
            assert here is not None, f"{inside} is not on the PATH"
            tar.add(os.path.realpath(here), arcname=inside)
        wrapped = b'#!/bin/sh\necho train was called with "$@"\necho trained > /opt/ml/model/m\n'
        train = tarfile.TarInfo("bin/train")
        train.size, train.mode = len(wrapped), 0o755
        tar.addfile(train, io.BytesIO(wrapped))
    return content.getvalue()


def running(name: str) -> list[str]:
    """The containers, running or not, whose name has this part."""
    listed = subprocess.run(
        [engine().program, "ps", "--all", "--format", "{{.Names}}", "--filter", f"name={name}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.split()


def kill_supervisor(home: Path) -> None:
    """Kill the shell that stands over an instance, as the end of its machine's session would."""
    os.killpg(int((home / "run/pid").read_text()), 9)
