"""The program of a function that the SageMaker SDK runs as a training job: of `@step` and of `@remote`.

Its driver comes from the SDK, as a channel, and runs as it is: it installs what the function requires and
calls the function. https://docs.aws.amazon.com/sagemaker/latest/dg/train-remote-decorator.html
"""

import json
from collections.abc import Sequence
from itertools import pairwise

DRIVER = "/sagemaker_remote_function_bootstrap/job_driver.sh"
DEPENDENCIES = "pre_exec_script_and_dependencies"
"""A channel of a step, with its file of requirements and its commands that run before."""

BEFORE = "pre_exec.sh"
WORKSPACE, IN_WORKSPACE = "sm_rf_user_ws/workspace.zip", "sagemaker_remote_function_workspace"

AS_ROOT = {"USER": "root", "LOGNAME": "root"}
"""Programs of images run as root. To any other user's name the driver answers with `sudo chmod`, which a
sandbox refuses, and which is not needed: all below /opt/ml is the program's own.
"""


def is_one(words: Sequence[str]) -> bool:
    """Whether a job's command line is the driver's."""
    return any(word.endswith(DRIVER) for word in words)


def dependency_file(words: Sequence[str]) -> str | None:
    """The name of the file of requirements; None where there is none, or it is for a conda environment."""
    settings = _option(words, "--dependency_settings")
    if settings is None or _option(words, "--job_conda_env") is not None:
        return None
    try:
        name = json.loads(settings).get("dependency_file")
    except (ValueError, AttributeError, RecursionError):
        return None
    return name if isinstance(name, str) else None


def python_version(words: Sequence[str]) -> str | None:
    """The version of the client's Python, such as `3.11`: the driver refuses any other."""
    return _option(words, "--client_python_version")


def _option(words: Sequence[str], name: str) -> str | None:
    return next((value for option, value in pairwise(words) if option == name), None)
