"""CloudFormation's intrinsic functions, as far as a template alone tells their values.

What only a deployment knows (a parameter without a default, the generated name of a resource) becomes its
name in braces, which no request matches, and is noted.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from passrole.needs import Place

_VARIABLE: Final = re.compile(r"\$\{(!?)([^}]*)\}")
_DEPTH_MAX: Final = 100  # conditions and values may lead to each other, in a circle

NO_VALUE: Final = object()
"""What `AWS::NoValue` stands for: the member or element that has it is removed."""


class _Kind(NamedTuple):
    """A type of resource: the property with its name, its ARN, and what Ref gives."""

    property: str
    arn: str
    ref: str = "{name}"


_KINDS: Final[Mapping[str, _Kind]] = {
    "AWS::IAM::Role": _Kind("RoleName", "arn:{partition}:iam::{account}:role{path}{name}"),
    "AWS::IAM::ManagedPolicy": _Kind(
        "ManagedPolicyName",
        "arn:{partition}:iam::{account}:policy{path}{name}",
        "arn:{partition}:iam::{account}:policy{path}{name}",
    ),
    "AWS::SQS::Queue": _Kind(
        "QueueName",
        "arn:{partition}:sqs:{region}:{account}:{name}",
        "https://sqs.{region}.amazonaws.com/{account}/{name}",
    ),
    "AWS::Lambda::Function": _Kind(
        "FunctionName", "arn:{partition}:lambda:{region}:{account}:function:{name}"
    ),
    "AWS::Serverless::Function": _Kind(
        "FunctionName", "arn:{partition}:lambda:{region}:{account}:function:{name}"
    ),
    "AWS::S3::Bucket": _Kind("BucketName", "arn:{partition}:s3:::{name}"),
    "AWS::KMS::Key": _Kind("", "arn:{partition}:kms:{region}:{account}:key/{name}"),
    "AWS::SNS::Topic": _Kind(
        "TopicName",
        "arn:{partition}:sns:{region}:{account}:{name}",
        "arn:{partition}:sns:{region}:{account}:{name}",
    ),
    "AWS::DynamoDB::Table": _Kind("TableName", "arn:{partition}:dynamodb:{region}:{account}:table/{name}"),
    "AWS::ECR::Repository": _Kind(
        "RepositoryName", "arn:{partition}:ecr:{region}:{account}:repository/{name}"
    ),
    "AWS::Logs::LogGroup": _Kind(
        "LogGroupName", "arn:{partition}:logs:{region}:{account}:log-group:{name}:*"
    ),
    "AWS::SageMaker::Pipeline": _Kind(
        "PipelineName", "arn:{partition}:sagemaker:{region}:{account}:pipeline/{name}"
    ),
    "AWS::StepFunctions::StateMachine": _Kind(
        "StateMachineName",
        "arn:{partition}:states:{region}:{account}:stateMachine:{name}",
        "arn:{partition}:states:{region}:{account}:stateMachine:{name}",
    ),
}


class Values:
    """The values of a template's expressions, in a place; `unknown` are those that it does not tell."""

    def __init__(self, template: Mapping[str, Any], place: Place) -> None:
        self._template = template
        self._place = place
        self._depth = 0
        self.unknown: dict[str, None] = {}
        self._functions: Mapping[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::If": self._if,
            "Fn::FindInMap": self._find_in_map,
            "Fn::Base64": lambda value: base64.b64encode(self.text(value).encode()).decode(),
            "Fn::ToJsonString": lambda value: json.dumps(self.value(value)),
            "Fn::Equals": lambda pair: self.value(pair[0]) == self.value(pair[1]),
            "Fn::Not": lambda value: self._opposite(self.value(value[0])),
            "Fn::And": lambda values: all(self.holds(each) for each in values),
            "Fn::Or": lambda values: any(self.holds(each) for each in values),
            "Condition": self.holds,
        }

    def value(self, node: Any) -> Any:
        """The value of a node, with every function in it carried out."""
        self._depth += 1
        try:
            if self._depth > _DEPTH_MAX:
                return self._missing("a circle of references")
            if isinstance(node, dict):
                return self._object(node)
            if isinstance(node, list):
                return [each for each in map(self.value, node) if each is not NO_VALUE]
            return node
        finally:
            self._depth -= 1

    def text(self, node: Any) -> str:
        """The value as text."""
        found = self.value(node)
        if isinstance(found, bool):
            return str(found).lower()
        return "" if found is NO_VALUE or found is None else str(found)

    def holds(self, condition: Any) -> bool:
        """Whether a condition holds, given by its name or as a function."""
        if isinstance(condition, str):
            condition = (self._template.get("Conditions") or {}).get(condition, False)
        found = self.value(condition)
        return found if isinstance(found, bool) else str(found).lower() == "true"

    def _object(self, node: dict[str, Any]) -> Any:
        if len(node) == 1:
            ((name, argument),) = node.items()
            # `Condition` is also an element of a policy's statement, whose value is an object.
            if name in self._functions and not (name == "Condition" and not isinstance(argument, str)):
                try:
                    return self._functions[name](argument)
                except (IndexError, KeyError, TypeError, ValueError):
                    return self._missing(f"{name} of {json.dumps(argument, default=str)[:60]}")
            if name.startswith("Fn::"):
                return self._missing(
                    f"{name.removeprefix('Fn::')}:{argument}" if isinstance(argument, str) else name
                )
        members = {key: self.value(inner) for key, inner in node.items()}
        return {key: inner for key, inner in members.items() if inner is not NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        pseudo = {
            "AWS::Partition": self._place.partition,
            "AWS::Region": self._place.region,
            "AWS::AccountId": self._place.account,
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        parameter = (self._template.get("Parameters") or {}).get(name)
        if isinstance(parameter, dict):
            default = parameter.get("Default")
            is_list = str(parameter.get("Type", "")).startswith(("List<", "CommaDelimitedList"))
            if default is None:
                return self._missing(name)
            return [each.strip() for each in str(default).split(",")] if is_list else default
        return self._attribute(name, "")

    def _get_att(self, argument: Any) -> Any:
        name, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._attribute(name, self.text(attribute))

    def _attribute(self, name: str, attribute: str) -> str:
        """What Ref (an empty attribute) or GetAtt gives of a resource."""
        resource = (self._template.get("Resources") or {}).get(name)
        kind = _KINDS.get(resource.get("Type", "")) if isinstance(resource, dict) else None
        if kind is None or attribute not in ("", "Arn", "QueueName", "TopicName", "PolicyArn"):
            return self._missing(f"{name}.{attribute}" if attribute else name)
        properties = (resource or {}).get("Properties") or {}
        given = properties.get(kind.property)
        own = self.text(given) if given is not None else self._missing(name)
        if attribute in ("QueueName", "TopicName"):
            return own
        form = kind.arn if attribute else kind.ref
        place = self._place
        return form.format(
            partition=place.partition,
            region=place.region,
            account=place.account,
            path=self.text(properties.get("Path", "/")),
            name=own,
        )

    def _sub(self, argument: Any) -> str:
        template, variables = (argument, {}) if isinstance(argument, str) else argument

        def filled(found: re.Match[str]) -> str:
            name = found[2].strip()
            if found[1]:
                return f"${{{found[2]}}}"
            if name in variables:
                return self.text(variables[name])
            return self.text({"Fn::GetAtt": name} if "." in name else {"Ref": name})

        return _VARIABLE.sub(filled, template)

    def _join(self, argument: Any) -> str:
        on, values = argument
        listed = self.value(values)
        return str(on).join(map(self.text, listed)) if isinstance(listed, list) else self.text(listed)

    def _select(self, argument: Any) -> Any:
        listed = self.value(argument[1])
        return listed[int(self.text(argument[0]))]

    def _split(self, argument: Any) -> list[str]:
        return self.text(argument[1]).split(str(argument[0]))

    def _if(self, argument: Any) -> Any:
        condition, then, otherwise = argument
        return self.value(then if self.holds(condition) else otherwise)

    def _find_in_map(self, argument: Any) -> Any:
        name, first, second = (self.text(each) for each in argument[:3])
        return self.value(self._template["Mappings"][name][first][second])

    def _opposite(self, value: Any) -> bool:
        return str(value).lower() != "true"

    def _missing(self, name: str) -> str:
        self.unknown[name] = None
        return f"{{{name}}}"


def unknown_in(value: Any) -> Iterator[str]:
    """The texts in a value that have an unknown part."""
    if isinstance(value, str):
        if re.search(r"(?<!\$)\{[^}]*\}", value):
            yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from unknown_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from unknown_in(inner)
