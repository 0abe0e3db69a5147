"""What this machine has for jobs: the Python environment in which they run, its programs, and containers."""

import shutil
import sys
from pathlib import Path

from passrole.config import Config
from passrole.runtimes import containers, python_layer
from passrole.runtimes.containers import EngineMissing
from passrole.runtimes.images import Machine
from passrole.runtimes.ml.folder import ROOT

_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


def python_home(config: Config, named: str | None = None) -> Path:
    """The folder of the environment: the one that a rule names, else the setting's, else the server's own."""
    return Path(named or config.job_python or sys.prefix).absolute()


def path(environment: Path) -> str:
    """The PATH of jobs in an environment."""
    return f"{environment / 'bin'}:{_SYSTEM_PATH}"


def machine(config: Config) -> Machine:
    """What `images` asks for. It tries a container engine where that matters."""

    def finds(program: str) -> bool:
        if program in python_layer.PROGRAMS or program.startswith(str(ROOT)):
            return True
        return shutil.which(program, path=path(python_home(config))) is not None

    def has_containers() -> bool:
        try:
            return bool(containers.found(config.containers))
        except EngineMissing:
            return False

    return Machine(config.images.rules, finds, has_containers)
