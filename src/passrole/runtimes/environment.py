"""A function's environment variables: AWS's and the function's own, none of the host's; and its command line.

The service refuses the reserved names, so the order of merging does not matter:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

import importlib.util
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from passrole.config import ConfigError
from passrole.runtimes.interface import Credentials, FunctionSpec

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_NODE_BOOTSTRAP = Path(__file__).with_name("bootstrap.mjs")
_NODE = "nodejs"
HOST_RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class WorkerContext:
    """Where a worker runs: the Runtime API's address, the gateway, its code, a folder of its own to write in,
    the name of its log stream, and its layers.
    """

    runtime_api: str
    endpoint_url: str
    code: Path
    scratch: Path
    log_stream: str
    opt: Path | None = None


def variables(spec: FunctionSpec, credentials: Credentials, context: WorkerContext) -> dict[str, str]:
    """All environment variables of the worker's process."""
    scratch = str(context.scratch)
    region = spec.arn.split(":")[3]
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        # without these boto3 would read the server's home folder
        "HOME": scratch,
        "TMPDIR": scratch,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONNOUSERSITE": "1",
        "AWS_ENDPOINT_URL": context.endpoint_url,
        **_of_layers(spec, context),
        **spec.environment,
        "_HANDLER": spec.handler,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": context.log_stream,
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "AWS_LAMBDA_RUNTIME_API": context.runtime_api,
        "LAMBDA_TASK_ROOT": str(context.code),
        "LAMBDA_RUNTIME_DIR": str(_BOOTSTRAP.parent),
    }


def command(spec: FunctionSpec, bootstrap: str, opt: Path | None = None) -> list[str]:
    """The worker's command line; `bootstrap` is `awslambdaric` or `own`, for Python; `opt` has the layers.

    -u: output is in the pipe before the response is posted. -P: the folder of our bootstrap is not on the
    path.
    """
    if spec.runtime.startswith(_NODE):
        return [shutil.which("node") or "node", str(_NODE_BOOTSTRAP), spec.handler]
    layers = [] if opt is None else [opt / "python/lib" / spec.runtime / "site-packages", opt / "python"]
    return [sys.executable, "-u", "-P", str(_BOOTSTRAP), bootstrap, spec.handler, *map(str, layers)]


def _of_layers(spec: FunctionSpec, context: WorkerContext) -> dict[str, str]:
    """Where programs, libraries and modules of layers are looked for; `command` says it to Python.

    https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
    """
    opt = context.opt
    if opt is None:
        return {}
    found = {
        "PATH": f"/usr/local/bin:/usr/bin:/bin:{opt}/bin",
        "LD_LIBRARY_PATH": f"{opt}/lib",
    }
    if spec.runtime.startswith(_NODE):
        version = spec.runtime.removeprefix(_NODE).partition(".")[0]
        found["NODE_PATH"] = f"{opt}/nodejs/node{version}/node_modules:{opt}/nodejs/node_modules"
    return found


def chosen_bootstrap(setting: str) -> str:
    """Resolve the setting `auto`. Raises ConfigError if the bootstrap is not installed."""
    if setting not in ("auto", "awslambdaric", "own"):
        raise ConfigError(f"setting `lambda_bootstrap` cannot be `{setting}`")
    # runtime_client is awslambdaric's compiled part; it has wheels for Linux alone
    installed = all(importlib.util.find_spec(name) for name in ("awslambdaric", "runtime_client"))
    if setting == "awslambdaric" and not installed:
        raise ConfigError("setting `lambda_bootstrap` is `awslambdaric`, which is not installed")
    return "awslambdaric" if installed and setting != "own" else "own"


def unavailable_reason(runtime: str) -> str | None:
    """Why functions of this runtime cannot run on this machine; None if they can."""
    if runtime.startswith(_NODE):
        return None if node_runtime() else "Node.js is not installed: there is no `node` on the path"
    return None if runtime.startswith("python3.") else "it runs python3.x and, with Node.js, nodejs*"


def runtime_warning(runtime: str) -> str | None:
    """The log's warning if the machine has another version of the function's language."""
    here = (node_runtime() or "no Node.js") if runtime.startswith(_NODE) else HOST_RUNTIME
    if runtime == here:
        return None
    return f"[WARNING] passrole: the function asks for {runtime} and runs on {here}"


@lru_cache(maxsize=1)
def node_runtime() -> str | None:
    """Lambda's name of the Node.js on the path, such as nodejs20.x; cached, since starting it is slow."""
    node = shutil.which("node")
    if node is None:
        return None
    version = subprocess.run(  # noqa: S603 (nothing in it comes from outside)
        [node, "--version"], capture_output=True, text=True, timeout=10, check=False
    )
    major = version.stdout.strip().removeprefix("v").partition(".")[0]
    return f"{_NODE}{major}.x" if version.returncode == 0 and major.isdecimal() else None
