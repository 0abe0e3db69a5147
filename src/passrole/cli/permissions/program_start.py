"""Runs in the user's interpreter: imports a file that makes a pipeline, and writes its definition as JSON.

`python program_start.py FILE NAME REGION ACCOUNT RESULT`. It knows nothing of passrole, which that
interpreter need not have. No call leaves the process: boto3 gets the answers that making a pipeline asks for,
every other call and every connection is refused by name.
"""

import importlib.util
import inspect
import json
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROLE = "execution-role"


class NoPipeline(Exception):
    """The file makes no pipeline, or several; the message says so."""


def main() -> None:
    """Write `name` and `definition` to RESULT, or `error`."""
    file, name, region, account, result = sys.argv[1:]
    try:
        answer_calls(account)
        refuse_connections()
        pipeline = found_in(imported(Path(file)), name, region, account)
        found = {"name": pipeline.name, "definition": pipeline.definition()}
    except NoPipeline as error:
        found = {"error": str(error)}
    except BaseException as error:
        found = {"error": f"{type(error).__name__}: {error}{where(error, file)}"}
    Path(result).write_text(json.dumps(found), encoding="utf-8")


def imported(file: Path) -> Any:
    """The file as a module that is not `__main__`; its folder is searched for what it imports."""
    sys.path.insert(0, str(file.resolve().parent))
    sys.argv = [str(file)]
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise NoPipeline("it is no file in Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def found_in(module: Any, name: str, region: str, account: str) -> Any:
    """The pipeline of that variable, function or name; without one the only pipeline."""
    pipelines = {key: value for key, value in vars(module).items() if is_pipeline(value)}
    if name:
        value = getattr(module, name, None)
        if callable(value) and not is_pipeline(value):
            value = made(value, name, region, account)
        if not is_pipeline(value):
            value = next((each for each in pipelines.values() if each.name == name), None)
        if value is None:
            raise NoPipeline(f"it has no pipeline `{name}`{known(module, pipelines)}")
        return value
    only = list({id(each): each for each in pipelines.values()}.values())
    if len(only) != 1:
        count = "several pipelines" if only else "no pipeline at its top level"
        raise NoPipeline(f"it has {count}: name one with FILE.py:NAME{known(module, pipelines)}")
    return only[0]


def is_pipeline(value: Any) -> bool:
    """Whether it is a Pipeline of the SageMaker SDK, version 2 or 3."""
    kinds = [each for each in type(value).__mro__ if each.__module__.startswith("sagemaker")]
    return any(each.__name__ == "Pipeline" for each in kinds) and hasattr(value, "definition")


def made(function: Callable[..., Any], name: str, region: str, account: str) -> Any:
    """What the function makes. Of the arguments that it must have, the usual ones are known."""
    role = f"arn:aws:iam::{account}:role/{ROLE}"
    usual = {"region": region, "role": role, "role_arn": role, "account": account, "account_id": account}
    needed = [
        each.name
        for each in inspect.signature(function).parameters.values()
        if each.default is each.empty and each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    ]
    strange = [each for each in needed if each not in usual]
    if strange:
        raise NoPipeline(f"`{name}` needs the argument `{strange[0]}`; name a function without arguments")
    return function(**{each: usual[each] for each in needed})


def known(module: Any, pipelines: dict[str, Any]) -> str:
    """The names that may be given."""
    functions = [
        key
        for key, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__
    ]
    listed = ", ".join(f"`{each}`" for each in [*pipelines, *functions])
    return f"; there are {listed}" if listed else ""


def where(error: BaseException, file: str) -> str:
    """The last line of the file that the error passed."""
    passed = traceback.extract_tb(error.__traceback__)
    lines = [each.lineno for each in passed if Path(each.filename).resolve() == Path(file).resolve()]
    return f" (line {lines[-1]})" if lines else ""


def answer_calls(account: str) -> None:
    """Answer what making a pipeline asks of AWS: who one is, the role, the bucket and what is uploaded."""
    try:
        from botocore.client import BaseClient
    except ImportError:
        return
    me = f"arn:aws:sts::{account}:assumed-role/{ROLE}/check"
    answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
        "sts:GetCallerIdentity": lambda _: {"Account": account, "Arn": me, "UserId": "AROA:check"},
        "iam:GetRole": lambda given: {
            "Role": {"Arn": f"arn:aws:iam::{account}:role/{given['RoleName']}", "RoleName": given["RoleName"]}
        },
        "s3:ListBuckets": lambda _: {"Buckets": []},
        "s3:CreateMultipartUpload": lambda _: {"UploadId": "check"},
        "s3:UploadPart": lambda _: {"ETag": '"check"'},
        "s3:PutObject": lambda _: {"ETag": '"check"'},
    }
    for silent in ("HeadBucket", "CreateBucket", "HeadObject", "ListObjectsV2", "CompleteMultipartUpload"):
        answers[f"s3:{silent}"] = lambda _: {}

    def answer(self: Any, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        call = f"{self.meta.service_model.service_name}:{operation}"
        if call not in answers:
            raise NoPipeline(
                f"it calls {call} while it makes the pipeline, and `check` calls no AWS; call it only under"
                ' `if __name__ == "__main__":`, or check the definition as JSON'
            )
        return answers[call](given)

    client: Any = BaseClient
    client._make_api_call = answer


def refuse_connections() -> None:
    """No connection leaves the machine."""

    def refuse(_socket: socket.socket, address: Any) -> None:
        raise OSError(f"`check` opens no connection, and the file asks for {address}")

    socket.socket.connect = refuse  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    main()
