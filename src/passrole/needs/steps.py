"""The needs of each type of step as the execution role, from the table; EMR's are in `emr`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from passrole.definition.expressions import Json
from passrole.needs.checks import baseline_of, why_optional
from passrole.needs.document import Definition, RawStep, as_list, as_object
from passrole.needs.emr import emr
from passrole.needs.need import ANY, Need, Place, function_arn, key_arn, object_arn, pass_role, queue_arn
from passrole.needs.need import role_arn as role_arn_of
from passrole.needs.table import EXECUTION_TAG, NO_BASELINE, OWN_ROLE, STEP_TAG, TABLE, Ask, StepType
from passrole.policy.request import Values
from passrole.policy.request_keys import request_tag_keys, resource_tag_keys
from passrole.policy.sagemaker_keys import current_package_keys, model_keys, sagemaker_keys, values_at

Kind = Callable[[RawStep, Definition, Place], Iterator[Need]]

_WITHOUT_LOOKING: Final = (
    "the function is invoked all the same: version 1 of the managed policy has no GetFunction"
)
_UNSEEN: Final = "a run was seen to succeed without it"
_KEY_ACTIONS: Final = ("CreateGrant", "DescribeKey", "GenerateDataKey", "Decrypt")
_TAG_PREFIXES: Final = ("aws", "sagemaker")
_OF_SERVERLESS: Final = "emr-serverless:"


def needs_of_step(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    """All needs of a step of a known type, in the order of its calls."""
    yield from json_gets(step, definition, place)
    yield from KINDS[step.type](step, definition, place)


def json_gets(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    """The needs of Std:JsonGet in the step's members: a property file, or an S3 object.

    https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-access.html
    """
    for found in step.json_gets():
        uri, key = _file_of(found, definition)
        resource = object_arn(uri, place) or object_arn(ANY, place) or ANY
        why = "reads the file of a JsonGet"
        yield Need(step.name, "s3:GetObject", resource, why, is_pattern=ANY in resource)
        if key is not None:
            arn = key_arn(key, place)
            yield Need(step.name, "kms:Decrypt", arn, f"{why} that is encrypted", is_pattern=ANY in arn)


def _tags_of(step: RawStep, definition: Definition) -> dict[str, str]:
    """The Tags of the step's arguments, and those that SageMaker adds."""
    pairs = map(as_object, as_list(step.arguments.get("Tags")))
    own = {
        definition.text(pair["Key"]): definition.text(pair.get("Value", ""))
        for pair in pairs
        if "Key" in pair
    }
    name = f"{step.name}-{ANY}" if step.is_in_loop else step.name
    return {**own, EXECUTION_TAG: ANY, STEP_TAG: name}


def _file_of(found: Mapping[str, Json], definition: Definition) -> tuple[str, str | None]:
    """The URI of a JsonGet's file, and the KMS key of its output."""
    if "S3Uri" in found:
        return definition.text(found["S3Uri"]), None
    reference = str(as_object(found.get("PropertyFile")).get("Get", found.get("PropertyFile")))
    step = definition.step(reference.removeprefix("Steps.").partition(".")[0])
    if step is None:
        return ANY, None
    name = reference.rpartition("PropertyFiles.")[2]
    files = map(as_object, as_list(step.members.get("PropertyFiles")))
    file = next((each for each in files if each.get("PropertyFileName") == name), {})
    config = as_object(step.arguments.get("ProcessingOutputConfig"))
    outputs = map(as_object, as_list(config.get("Outputs")))
    output = next((each for each in outputs if each.get("OutputName") == file.get("OutputName")), {})
    folder = definition.text(as_object(output.get("S3Output")).get("S3Uri"))
    key = config.get("KmsKeyId")
    path = definition.text(file.get("FilePath"))
    uri = ANY if folder == ANY else f"{folder.rstrip('/')}/{path}"
    return uri, None if key is None else definition.text(key)


def _lambda(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    function = function_arn(definition.text(step.members.get("FunctionArn")), place)
    look = Need(
        step.name, "lambda:GetFunction", function, "looks at the function", is_pattern=ANY in function
    )
    yield replace(look, optional=_WITHOUT_LOOKING)
    yield replace(look, action="lambda:InvokeFunction", why="invokes it")


def _callback(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    queue = queue_arn(definition.text(step.members.get("SqsQueueUrl")), place)
    yield Need(step.name, "sqs:SendMessage", queue, "sends the token", is_pattern=ANY in queue)


def _check(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    """A check first asks for an earlier baseline, but only where it needs one that is not supplied."""
    is_sought = baseline_of(step, definition).is_sought
    found = list(_of(TABLE[step.type])(step, definition, place))
    if is_sought is not False:
        looks = (need for need in found if need.optional == NO_BASELINE)
        yield from (replace(need, optional=why_optional(is_sought)) for need in looks)
    yield from (need for need in found if need.optional != NO_BASELINE)


def _serverless(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    """The calls of the table with the tags of the application and of the job run, which are maps. The role is
    passed by StartJobRun.
    """
    made = _map_of_tags(step, "ApplicationConfig", definition)
    given = _map_of_tags(step, "JobConfig", definition)
    found = list(_of(TABLE[step.type])(step, definition, place))
    calls = [need for need in found if need.action.startswith(_OF_SERVERLESS)]
    for need in calls:
        verb = need.action.removeprefix(_OF_SERVERLESS)
        tags = {"CreateApplication": made, "StartJobRun": given}.get(verb)
        of_resource = given if "jobruns" in need.resource else made
        known = {} if verb == "CreateApplication" else resource_tag_keys(of_resource)
        if verb == "StartJobRun":
            known = resource_tag_keys(made)
        yield replace(need, context={**known, **request_tag_keys(tags or {})})
        if verb == "StartJobRun":
            yield from (each for each in found if each not in calls)
        if tags:
            tagging = replace(need, action="emr-serverless:TagResource", why="gives it its tags")
            yield replace(tagging, context={**known, **request_tag_keys(tags)})


def _map_of_tags(step: RawStep, member: str, definition: Definition) -> dict[str, str]:
    tags = as_object(as_object(step.arguments.get(member)).get("tags"))
    return {key: definition.text(value) for key, value in tags.items()}


def _cleanup(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    for uri in values_at(step.arguments, "Resources.S3[].S3Uris[]"):
        resource = below(definition.text(uri), place)
        if resource is not None:
            yield Need(step.name, "s3:DeleteObject", resource, "deletes what is named", is_pattern=True)


def below(uri: str, place: Place) -> str | None:
    """The objects whose keys begin with the URI's key."""
    arn = object_arn(uri, place)
    return None if arn is None else f"{arn.rstrip(ANY)}{ANY}"


def _of(row: StepType) -> Kind:
    """The needs of a row of the table: its first call, the roles that it passes, and the other calls."""

    def kind(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
        keys = _Keys(step, definition, place)
        first, others = row.asks[:1], row.asks[1:]
        yield from (need for ask in first for need in _asked(ask, keys))
        for hand in row.passes:
            for value in values_at(step.arguments, hand.path):
                given = role_arn_of(definition.text(value), place)
                yield pass_role(step.name, given, hand.service, hand.path.replace("[]", ""))
        yield from (need for ask in others for need in _asked(ask, keys))
        yield from _encrypted(row, step, definition, place)
        yield from _artefacts(row, step, definition, place)

    return kind


class _Keys:
    """The condition keys of a step's calls, computed once."""

    def __init__(self, step: RawStep, definition: Definition, place: Place) -> None:
        self.step, self.definition, self.place = step, definition, place
        self.arguments: Mapping[str, Any] = as_object(definition.values(dict(step.arguments)))
        self.tags = _tags_of(step, definition)

    def of(self, ask: Ask) -> dict[str, Values]:
        """The condition keys of a call: those of its arguments if it creates, else the resource's tags."""
        if not ask.creates:
            current = current_package_keys(self.arguments) if "ModelPackage" in ask.action else {}
            return {**resource_tag_keys(self.tags, _TAG_PREFIXES), **current}
        keys = sagemaker_keys(ask.action, self.arguments)
        if ask.tagging is not None:
            keys = {**keys, "sagemaker:TaggingAction": ask.tagging}
        tags = request_tag_keys(self.tags) if ask.has_tags else {}
        return keys | self._model(ask.action) | tags

    def _model(self, action: str) -> dict[str, Values]:
        def arn(name: Any) -> str:
            return self.place.arn("sagemaker", f"model/{self.definition.text(name)}")

        return model_keys(action, self.step.arguments, arn)


def _asked(ask: Ask, keys: _Keys) -> Iterator[Need]:
    step = keys.step
    if ask.only_with and not _has(step, ask.only_with):
        return
    if ask.only_without and _has(step, ask.only_without):
        return
    arn = keys.place.arn(ask.action.partition(":")[0], _named(ask.resource, keys))
    context = keys.of(ask)
    yield Need(
        step.name, ask.action, arn, ask.why, context, ask.when, is_pattern=ANY in arn, optional=ask.optional
    )


def _has(step: RawStep, name: str) -> bool:
    return bool(step.arguments.get(name) or step.members.get(name))


def _named(template: str, keys: _Keys) -> str:
    """The resource with the name in the step's arguments, or the pattern of the generated name."""
    head, brace, rest = template.partition("{")
    if not brace:
        return template
    member, _, tail = rest.partition("}")
    own = keys.step.arguments.get(member) or keys.step.members.get(member)
    name = keys.definition.name_of(keys.step, member) if member in keys.step.arguments or own is None else ""
    name = name or keys.definition.text(own)
    # A model package without a group has another form of name: everything of the type.
    return f"{head}{ANY}" if name == ANY and tail == f"/{ANY}" else f"{head}{name}{tail}"


def _encrypted(row: StepType, step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    """KMS needs of the pipeline's role: if the job's own role may not use the key; for endpoints always.

    https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
    """
    named = [definition.text(value) for path in row.keys for value in values_at(step.arguments, path)]
    for key in dict.fromkeys(named):
        arn = key_arn(key, place)
        for action in _KEY_ACTIONS:
            why = "encrypts with the key that the step names"
            need = Need(step.name, f"kms:{action}", arn, why, is_pattern=ANY in arn)
            yield replace(need, optional=OWN_ROLE)
    for value in values_at(step.arguments, "SecurityConfig.KmsKeyId") if step.type == "RegisterModel" else ():
        arn = key_arn(definition.text(value), place)
        for action in ("GenerateDataKey", "Decrypt"):
            yield Need(step.name, f"kms:{action}", arn, "encrypts the package", is_pattern=ANY in arn)
    for key in dict.fromkeys(_keys_of_configuration(step, definition)):
        arn = key_arn(key, place)
        why = "encrypts the endpoint's volumes"
        yield Need(step.name, "kms:CreateGrant", arn, why, is_pattern=ANY in arn)


def _keys_of_configuration(step: RawStep, definition: Definition) -> Iterator[str]:
    """The KmsKeyId of the EndpointConfig step whose configuration an Endpoint step deploys."""
    if step.type != "Endpoint":
        return
    wanted = definition.text(step.arguments.get("EndpointConfigName"))
    for other in definition.steps:
        key = other.arguments.get("KmsKeyId") if other.type == "EndpointConfig" else None
        if key is not None and definition.name_of(other, "EndpointConfigName") in (wanted, ANY):
            yield definition.text(key)


def _artefacts(row: StepType, step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    """The model's data: SageMaker checks that it exists with the permissions of the model's creator."""
    for path in row.artefacts:
        for value in values_at(step.arguments, path):
            resource = object_arn(definition.text(value), place)
            if resource is not None:
                yield Need(
                    step.name,
                    "s3:GetObject",
                    resource,
                    "reads the model artefact",
                    is_pattern=ANY in resource,
                    optional=_UNSEEN,
                )


def _nothing(_step: RawStep, _definition: Definition, _place: Place) -> Iterator[Need]:
    return iter(())


_OWN: Final[Mapping[str, Kind]] = {
    "Lambda": _lambda,
    "Callback": _callback,
    "EMR": emr,
    "EMRServerless": _serverless,
    "Cleanup": _cleanup,
    "ClarifyCheck": _check,
    "QualityCheck": _check,
    "Condition": _nothing,
    "Fail": _nothing,
    "ForEach": _nothing,
}
KINDS: Final[Mapping[str, Kind]] = {type_: _OWN.get(type_) or _of(row) for type_, row in TABLE.items()}
