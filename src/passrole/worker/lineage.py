"""What a Lineage step records: its entities, and then what joins them.

It may be performed twice after a crash: an entity that is there with the tags of this step and execution is
its own, and so is an association between two of these.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from passrole.arns import parse
from passrole.definition.kinds.lineage import KINDS
from passrole.engine.commands import CreateResource
from passrole.history import Task
from passrole.worker.calls import CallFailed
from passrole.worker.job_steps.tags import tags_of

Call = Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]
Json = dict[str, Any]

_TAKEN = "already exists."


async def record(call: Call, task: Task, command: CreateResource) -> tuple[Json, Json]:
    """The step's metadata, which are its properties too. Raises CallFailed."""
    request: Mapping[str, Any] = command.request
    tags = tags_of(task, command)
    made: dict[str, dict[str, str]] = {}
    for members, kind in KINDS.items():
        for entity in request.get(members, ()):
            name = str(entity.get(f"{kind}Name") or entity.get("Source", {}).get("SourceUri", ""))
            made.setdefault(kind, {})[name] = await _create(call, kind, entity, tags)
    joined = [await _join(call, each, made) for each in request.get("Associations", ())]
    arns = {f"{kind}Arns": entities for kind, entities in made.items()}
    found: Json = {**arns, "Associations": joined} if joined else arns
    return found, found


async def _create(call: Call, kind: str, entity: Mapping[str, Any], tags: list[Any]) -> str:
    own = entity.get("Tags", [])
    operation = f"Create{kind}"
    try:
        return str((await call(operation, {**entity, "Tags": [*own, *tags]}))[f"{kind}Arn"])
    except CallFailed as failure:
        arn = failure.details.partition(f"{kind} ")[2].removesuffix(f" {_TAKEN}")
        if not failure.details.endswith(_TAKEN) or parse(arn) is None or not await _is_own(call, arn, tags):
            raise
        return arn


async def _is_own(call: Call, arn: str, tags: list[Any]) -> bool:
    found = (await call("ListTags", {"ResourceArn": arn}))["Tags"]
    return all(tag in found for tag in tags)


async def _join(call: Call, asked: Mapping[str, Any], made: Mapping[str, Mapping[str, str]]) -> Json:
    ends = {f"{end}Arn": _arn(asked.get(end, {}), made) for end in ("Source", "Destination")}
    type_ = {"AssociationType": asked["AssociationType"]} if "AssociationType" in asked else {}
    try:
        await call("AddAssociation", {**ends, **type_})
    except CallFailed as failure:
        if not failure.details.endswith(_TAKEN):
            raise
    return dict(ends)


def _arn(end: Mapping[str, Any], made: Mapping[str, Mapping[str, str]]) -> str:
    """An ARN, or the name and type of what the same step has made."""
    if "Arn" in end:
        return str(end["Arn"])
    name, kind = str(end.get("Name")), str(end.get("Type"))
    if name not in made.get(kind, {}):
        details = f"An association references {kind} '{name}', which this step does not create."
        raise CallFailed("sagemaker:AddAssociation", details)
    return made[kind][name]
