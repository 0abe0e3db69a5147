"""Functions as they are stored, their code folders, and FunctionConfiguration."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from passrole import arns, ids
from passrole.arns import Account, Region, resource_key
from passrole.config import Config
from passrole.runtimes.environment import runtime_warning
from passrole.runtimes.interface import FunctionSpec
from passrole.services.lambda_ import names, refusals
from passrole.services.lambda_.names import LATEST
from passrole.store import Collection, Tx

NETWORK_REMARK = (
    "[WARNING] passrole: VpcConfig is recorded and not obeyed; the function has the network of this machine"
)


@dataclass(frozen=True)
class Function:
    """A function. `modified` is epoch seconds.

    `revision` changes with every change (see `with_new_revision`), `build` only with those of code or
    configuration: workers of another build are not used any more. `dead_letters` is the ARN of a queue.

    `archive` is the content (store/contents.py) that its code is in. `folder` names the folder where that is
    unpacked (see `code_folder`): each upload has its own, and so has each version, so that what still runs
    keeps the old. `version` is `$LATEST`, or the number of a published version, which never changes;
    `published` is the number of the last one.

    `layers` are shown as they are (`Arn`, `CodeSize`), the lowest first, and `layer_archives` are their
    contents. `opt` names the folder that they make together (see `opt_folder`), and is empty without any.
    `network` is a VpcConfig, which nothing obeys.
    """

    account: Account
    region: Region
    name: str
    role: str
    runtime: str
    handler: str
    description: str
    timeout: int
    memory: int
    folder: str
    code_sha256: str
    code_size: int
    modified: float
    revision: str
    environment: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    version: str = LATEST
    published: int = 0
    build: str = ""
    dead_letters: str | None = None
    layers: list[dict[str, Any]] = field(default_factory=list)
    opt: str = ""
    network: dict[str, list[str]] = field(default_factory=dict)
    archive: str = ""
    layer_archives: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The function's key in the store; Context.key of its name, whatever the version."""
        return resource_key(self.account, self.region, self.name)

    @property
    def arn(self) -> str:
        """Unqualified, or that of the published version."""
        arn = arns.function(self.region, self.account, self.name)
        return arn if self.version == LATEST else f"{arn}:{self.version}"

    @property
    def contents(self) -> list[str]:
        """What it is made of: its code and its layers."""
        return [digest for digest in (self.archive, *self.layer_archives) if digest]


FUNCTIONS = Collection("function", Function)


def existing(tx: Tx, key: str, named: names.Named) -> Function:
    """The function under a key. Raises ResourceNotFoundException."""
    return FUNCTIONS.require(tx, key, lambda: refusals.not_found(named.arn))


def with_new_revision(function: Function) -> Function:
    """The function with a new RevisionId, after a change of neither code nor configuration."""
    return replace(function, revision=ids.request_id(), build=function.build or function.revision)


def with_new_build(function: Function) -> Function:
    """The function with a new RevisionId and build, after a change of code or configuration."""
    revision = ids.request_id()
    return replace(function, revision=revision, build=revision)


def code_folder(config: Config, function: Function) -> Path:
    """The folder of a function's unpacked code."""
    return (config.data / "functions" / function.region / function.name / function.folder).resolve()


def layers_folder(config: Config) -> Path:
    """Where layers and what they make together are unpacked, in folders that are named by their content."""
    return (config.data / "layers").resolve()


def opt_folder(config: Config, function: Function) -> Path | None:
    """What the function finds at /opt; None without layers."""
    return layers_folder(config) / function.opt if function.opt else None


def specification(config: Config, function: Function) -> FunctionSpec:
    """The function as the runtime wants it."""
    return FunctionSpec(
        arn=function.arn,
        name=function.name,
        version=function.version,
        revision=function.build or function.revision,
        runtime=function.runtime,
        handler=function.handler,
        code=code_folder(config, function),
        timeout_seconds=function.timeout,
        memory_mb=function.memory,
        environment=function.environment,
        opt=opt_folder(config, function),
        remark=NETWORK_REMARK if function.network else "",
    )


def configuration(function: Function, qualifier: str | None = None) -> dict[str, Any]:
    """A FunctionConfiguration in AWS's spelling, of a function that is ready.

    Its ARN has the qualifier by which it was asked for, if there was one.
    """
    arn = arns.function(function.region, function.account, function.name)
    shown: dict[str, Any] = {
        "FunctionName": function.name,
        "FunctionArn": f"{arn}:{qualifier}" if qualifier else arn,
        "Runtime": function.runtime,
        "Role": function.role,
        "Handler": function.handler,
        "CodeSize": function.code_size,
        "Description": function.description,
        "Timeout": function.timeout,
        "MemorySize": function.memory,
        "LastModified": moment(function.modified),
        "CodeSha256": function.code_sha256,
        "Version": function.version,
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": function.revision,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.name}"},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "RuntimeVersionConfig": _runtime_version(function),
    }
    if function.environment:
        shown["Environment"] = {"Variables": function.environment}
    if function.dead_letters:
        shown["DeadLetterConfig"] = {"TargetArn": function.dead_letters}
    if function.layers:
        shown["Layers"] = function.layers
    if function.network:
        shown["VpcConfig"] = {**function.network, "VpcId": "", "Ipv6AllowedForDualStack": False}
    return shown


_NOT_LISTED = frozenset({"State", "LastUpdateStatus", "RuntimeVersionConfig"})


def listed(function: Function, qualifier: str | None = None) -> dict[str, Any]:
    """A FunctionConfiguration in lists, which have a subset of its members.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
    """
    shown = configuration(function, qualifier)
    return {member: value for member, value in shown.items() if member not in _NOT_LISTED}


def creating_response(function: Function) -> dict[str, Any]:
    """CreateFunction's response: Pending, as on AWS, though the function is ready at the next call.

    AWS names the function, also where version 1 was published at once. $LATEST gets another revision when it
    becomes active, so the one in the response is not valid any more; that of a version stays.
    """
    shown = configuration(function)
    del shown["LastUpdateStatus"]
    return {
        **shown,
        **_revision_before(function),
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
    }


def updating_response(function: Function) -> dict[str, Any]:
    """The response of updates: InProgress, of the function or of the version that was published at once."""
    return {
        **configuration(function, None if function.version == LATEST else function.version),
        **_revision_before(function),
        "LastUpdateStatus": "InProgress",
        "LastUpdateStatusReason": "The function is being created.",
        "LastUpdateStatusReasonCode": "Creating",
    }


def _revision_before(function: Function) -> dict[str, Any]:
    """The revision that $LATEST had until a moment ago, while its change was in progress."""
    return {"RevisionId": ids.request_id()} if function.version == LATEST else {}


def _runtime_version(function: Function) -> dict[str, Any]:
    """AWS's own versions of runtimes have no meaning here: one ARN stands for each runtime."""
    digest = hashlib.sha256(function.runtime.encode()).hexdigest()
    shown: dict[str, Any] = {"RuntimeVersionArn": arns.lambda_runtime(function.region, digest)}
    warning = runtime_warning(function.runtime)
    if warning:
        shown["Error"] = {"ErrorCode": "RuntimeDiffers", "Message": warning}
    return shown


def moment(seconds: float) -> str:
    """As Lambda writes it, milliseconds and an offset without a colon."""
    written = datetime.fromtimestamp(seconds, UTC)
    return f"{written:%Y-%m-%dT%H:%M:%S}.{written.microsecond // 1000:03d}+0000"
