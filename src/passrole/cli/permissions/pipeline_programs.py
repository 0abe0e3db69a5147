"""Files in Python that make a pipeline: run in the user's interpreter, without AWS and without a network."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

from passrole.cli.documents import read_limited
from passrole.cli.errors import Misuse
from passrole.cli.permissions import program_start
from passrole.cli.permissions.named_file import NamedFile
from passrole.cli.permissions.pipeline_files import PipelineFile
from passrole.config import Config
from passrole.runtimes import job_machine

ENDING: Final = ".py"

_SECONDS_MAX: Final = 120
_STDERR_MAX: Final = 300


def run_program(given: NamedFile, config: Config) -> PipelineFile:
    """The pipeline that the file makes: the one that is named, or its only one. Raises Misuse."""
    label = given.path.as_posix()
    program = read_limited(given.path)
    found = _made(given, config)
    if "error" in found:
        raise Misuse(f"`{label}`: {found['error']}")
    return PipelineFile(label, found["definition"], found["name"], program=program)


def _made(given: NamedFile, config: Config) -> dict[str, Any]:
    python = job_machine.python_home(config) / "bin" / "python"
    with tempfile.TemporaryDirectory(prefix="passrole-check-") as folder:
        result = Path(folder) / "result.json"
        command = [
            *(str(python), program_start.__file__, str(given.path), given.name or ""),
            *(config.region, config.account, str(result)),
        ]
        try:
            done = subprocess.run(  # noqa: S603 (the user's own file, as they ask)
                command,
                env=_environment(config, folder),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Misuse(f"`{given.path}` has made no pipeline in {_SECONDS_MAX} seconds") from error
        except OSError as error:
            raise Misuse(f"`{python}` cannot be run: {error.strerror}; set VIRTUAL_ENV") from error
        try:
            return dict(json.loads(result.read_text("utf-8")))
        except (OSError, ValueError) as error:
            said = " ".join(done.stderr.split())[-_STDERR_MAX:]
            raise Misuse(f"`{given.path}` ended with exit code {done.returncode}: {said}") from error


def _environment(config: Config, folder: str) -> dict[str, str]:
    """The user's, but that no AWS and no settings of the SDK are found."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "PASSROLE_")) and not name.lower().endswith("_proxy")
    }
    return {
        **kept,
        "AWS_REGION": config.region,
        "AWS_DEFAULT_REGION": config.region,
        "AWS_ACCESS_KEY_ID": "check",
        "AWS_SECRET_ACCESS_KEY": "check",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": f"{folder}/config",
        "AWS_SHARED_CREDENTIALS_FILE": f"{folder}/credentials",
        "SAGEMAKER_SUPPRESS_V2_WARNING": "1",
    }
