"""What each type of step will ask of IAM as the execution role. EMR has a file of its own.

It judges nothing. Jobs get names that SageMaker makes up, so their ARNs end in `*`.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from passrole import arns
from passrole.definition.expressions import Json
from passrole.needs.document import Definition, RawStep, as_object
from passrole.needs.emr import emr
from passrole.needs.need import ANY, SAGEMAKER, Need, Place, function_arn, pass_role, queue_arn, role_arn

Kind = Callable[[RawStep, Definition, Place], Iterator[Need]]


def _lambda(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    function = function_arn(definition.text(step.members.get("FunctionArn")), place)
    pattern = ANY in function
    yield Need(step.name, "lambda:GetFunction", function, "looks at the function", is_pattern=pattern)
    yield Need(step.name, "lambda:InvokeFunction", function, "invokes it", is_pattern=pattern)


def _callback(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    queue = queue_arn(definition.text(step.members.get("SqsQueueUrl")), place)
    yield Need(step.name, "sqs:SendMessage", queue, "sends the token", is_pattern=ANY in queue)


def _nothing(_step: RawStep, _definition: Definition, _place: Place) -> Iterator[Need]:
    return iter(())


def _creates(action: str, resource: str) -> Kind:
    """A step that is one call of SageMaker's own, with the roles that it hands on."""

    def kind(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
        arn = _sagemaker(resource, place)
        yield Need(step.name, f"sagemaker:{action}", arn, "is the step's own call", is_pattern=True)
        for member, value in _roles(step.arguments):
            given = role_arn(definition.text(value), place)
            yield pass_role(step.name, given, SAGEMAKER, member)
        if step.arguments.get("Tags"):
            yield Need(step.name, "sagemaker:AddTags", arn, "gives it the step's Tags", is_pattern=True)

    return kind


def _sagemaker(resource: str, place: Place) -> str:
    return str(arns.Arn(arns.PARTITION, "sagemaker", place.region, place.account, f"{resource}/{ANY}"))


def _roles(arguments: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """The roles of a request, and those of the training jobs that a tuning job defines."""
    for member in ("RoleArn", "ExecutionRoleArn"):
        if member in arguments:
            yield member, arguments[member]
    several = arguments.get("TrainingJobDefinitions")
    for inner in (arguments.get("TrainingJobDefinition"), *(several if isinstance(several, list) else ())):
        if "RoleArn" in as_object(inner):
            yield "TrainingJobDefinition.RoleArn", as_object(inner)["RoleArn"]


# A type that is not here is said to be unknown; it is never taken to need nothing.
KINDS: Final[Mapping[str, Kind]] = {
    "Lambda": _lambda,
    "Callback": _callback,
    "Condition": _nothing,
    "Fail": _nothing,
    "ForEach": _nothing,
    "EMR": emr,
    "Training": _creates("CreateTrainingJob", "training-job"),
    "Processing": _creates("CreateProcessingJob", "processing-job"),
    "ClarifyCheck": _creates("CreateProcessingJob", "processing-job"),
    "QualityCheck": _creates("CreateProcessingJob", "processing-job"),
    "Transform": _creates("CreateTransformJob", "transform-job"),
    "Tuning": _creates("CreateHyperParameterTuningJob", "hyper-parameter-tuning-job"),
    "AutoML": _creates("CreateAutoMLJob", "automl-job"),
    "Model": _creates("CreateModel", "model"),
    "RegisterModel": _creates("CreateModelPackage", "model-package"),
    "EndpointConfig": _creates("CreateEndpointConfig", "endpoint-config"),
    "Endpoint": _creates("CreateEndpoint", "endpoint"),
}
