"""The problems of a definition, with SageMaker's messages.

The first two messages below and the one about Fail steps were observed on AWS, and clients match on them; the
others are in the same style, because AWS documents none. `where` is for `check`; the wire carries the message
only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_PARSE = "Unable to parse pipeline definition. "
_MODEL = _PARSE + "Model Validation failed: "


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem: `where` is a path such as `Steps[2].Arguments.x`, empty for the whole document.

    An earlier version accepted what is `tolerated`, or a stub stands for it: a new definition is refused for
    it, a stored one runs.
    """

    where: str
    message: str
    tolerated: bool = False


class DefinitionError(Exception):
    """A definition or the parameters of an execution are invalid; it has at least one problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        assert problems, "an error without a problem"
        super().__init__(problems[0].message)
        self.problems = tuple(problems)

    @property
    def message(self) -> str:
        """The message of the ValidationException: the first problem, as AWS stops at the first."""
        return self.problems[0].message


def unknown_property(where: str, name: str) -> Problem:
    """Observed: sagemaker-python-sdk#2746."""
    return Problem(where, f"{_PARSE}Cannot parse object, unknown property '{name}'.")


def not_in_enum(where: str, value: object, member: str, allowed: Iterable[object]) -> Problem:
    """Observed."""
    choices = ", ".join(map(str, allowed))
    return Problem(
        where, f"{_MODEL}Value '{value}' for '{member}' failed to satisfy enum value set: [{choices}]"
    )


def depends_on_fail_step(where: str, step: str, fail_step: str) -> Problem:
    """Observed with steps named CondStep and FailStep; the SDK's integration test matches on it."""
    return Problem(where, f"{step} can not depends on {fail_step}")


def malformed_json(position: int, why: str) -> Problem:
    """Names the character position, as AWS documents for malformed JSON."""
    return Problem("", f"{_PARSE}Malformed JSON at character position {position}: {why}.")


def too_long(length: int, limit: int) -> Problem:
    """The API's limit, for definitions that come from S3 and so escape the API's own check."""
    return Problem("", f"{_PARSE}The definition has {length} characters, the maximum is {limit}.")


def too_deep(limit: int) -> Problem:
    """Ours: keeps every recursive walk over a definition within Python's stack."""
    return Problem("", f"{_PARSE}The definition is nested deeper than {limit} levels.")


def missing_property(where: str, name: str) -> Problem:
    """A required member is absent."""
    return Problem(where, f"{_MODEL}Missing required property '{name}'.")


def wrong_type(where: str, member: str, expected: str) -> Problem:
    """A member has another JSON type than its schema says."""
    return Problem(where, f"{_MODEL}Value for '{member}' must be of type {expected}.")


def bad_json_path(where: str, path: object) -> Problem:
    """In the words of the SDK's local mode for a path that it cannot follow."""
    return Problem(where, f"{_PARSE}Invalid json path '{path}'")


def bad_name(where: str, value: str, member: str, pattern: str) -> Problem:
    """A name breaks its pattern."""
    return Problem(
        where,
        f"{_MODEL}Value '{value}' for '{member}' failed to satisfy regular expression pattern: {pattern}",
    )


def too_many_characters(where: str, member: str, limit: int) -> Problem:
    """A text is longer than its member allows."""
    return Problem(
        where,
        f"{_MODEL}Value for '{member}' failed to satisfy constraint: "
        f"Member must have length less than or equal to {limit}",
    )


def too_large(where: str, member: str, limit: float) -> Problem:
    """A number is larger than its member allows."""
    return Problem(
        where,
        f"{_MODEL}Value for '{member}' failed to satisfy constraint: "
        f"Member must have value less than or equal to {limit:g}",
    )


def too_small(where: str, member: str, limit: float) -> Problem:
    """A number is smaller than its member allows."""
    return Problem(
        where,
        f"{_MODEL}Value for '{member}' failed to satisfy constraint: "
        f"Member must have value greater than or equal to {limit:g}",
    )


def too_many(where: str, member: str, limit: int) -> Problem:
    """A list has more elements than its member allows."""
    return Problem(
        where,
        f"{_MODEL}Value for '{member}' failed to satisfy constraint: "
        f"Member must have length less than or equal to {limit}",
    )


def too_few(where: str, member: str, limit: int) -> Problem:
    """A list has fewer elements than its member allows."""
    return Problem(
        where,
        f"{_MODEL}Value for '{member}' failed to satisfy constraint: "
        f"Member must have length greater than or equal to {limit}",
    )


def bad_duration(where: str, member: str, value: str) -> Problem:
    """A text is not a duration; it was not read in earlier versions."""
    return Problem(
        where,
        f"{_MODEL}Value '{value}' for '{member}' failed to satisfy constraint: "
        "Member must be an ISO 8601 duration such as P30D or PT12H",
        tolerated=True,
    )


def too_many_outputs(where: str, limit: int) -> Problem:
    """More outputs are declared than the step's metadata can hold."""
    return Problem(where, f"{_MODEL}A step can declare at most {limit} output parameters.")


def unsupported_step_type(where: str, type_: str, supported: Iterable[str]) -> Problem:
    """A step type of SageMaker that passrole does not run; tolerated for stubs."""
    choices = ", ".join(supported)
    return Problem(
        where,
        f"{_PARSE}Step type '{type_}' is not supported here. Supported step types: [{choices}]",
        tolerated=True,
    )


def unsupported(where: str, what: str) -> Problem:
    """A feature of SageMaker that passrole does not support."""
    return Problem(where, f"{_PARSE}{what} is not supported here.")


def no_retry_policies(where: str, step: str, type_: str) -> Problem:
    """Lambda and Callback steps take none (sagemaker-python-sdk#3922)."""
    return Problem(where, f"{_PARSE}Step '{step}' of type {type_} does not support RetryPolicies.")


def needs_one_of(where: str, names: Sequence[str]) -> Problem:
    """A step must have exactly one of these members."""
    return Problem(where, f"{_MODEL}Exactly one of {' and '.join(names)} must be specified.")


def needs_other(where: str, member: str, other: str) -> Problem:
    """A member is allowed only together with another one."""
    return Problem(where, f"{_MODEL}'{member}' can be specified only together with '{other}'.")


def reserved(where: str, member: str) -> Problem:
    """A member that SageMaker sets must not be given."""
    return Problem(where, f"{_MODEL}'{member}' must not be specified: SageMaker sets it.")


def bad_expression(where: str, text: str) -> Problem:
    """A Get with an unknown path."""
    return Problem(where, f"{_PARSE}Cannot parse expression '{text}'.")


def duplicate_name(where: str, member: str, name: str) -> Problem:
    """Two steps, two parameters or two outputs share a name; branches count as well."""
    return Problem(where, f"{member} '{name}' is not unique: a name may appear only once in a pipeline.")


def no_such_parameter(where: str, name: str) -> Problem:
    """A Get names a parameter that is not declared."""
    return Problem(where, f"Parameter '{name}' is referenced but not declared in the pipeline.")


def no_such_step(where: str, step: str, missing: str) -> Problem:
    """A Get or DependsOn names a step that does not exist."""
    return Problem(where, f"Step '{step}' depends on step '{missing}', which does not exist in the pipeline.")


def not_in_a_body(where: str, type_: str) -> Problem:
    """The SDK refuses these types before it sends a definition."""
    return Problem(
        where,
        f"{_PARSE}Step type '{type_}' is not allowed in ForEachBody. "
        "Disallowed types: Condition, Fail, ForEach.",
    )


def bad_selector_field(where: str, text: str, body: Iterable[str]) -> Problem:
    """A selector compares a property of a step of its own loop, in the words of the SDK."""
    return Problem(
        where,
        f"{_MODEL}Selector.Field must be an IterationOutput reference to a body step of this ForEach step "
        f"[{', '.join(body)}], at least one member deep. Got: {text}.",
    )


def inside_a_loop(where: str, step: str, named: str, loop: str) -> Problem:
    """Ours: AWS documents only the references by which a step outside asks for an iteration."""
    return Problem(
        where,
        f"Step '{step}' depends on step '{named}', which runs once for each item of ForEach step '{loop}': "
        f"depend on '{loop}', or reference 'Steps.{loop}.IterationOutputs[<index>].{named}'.",
    )


def name_of_an_iteration(where: str, name: str, body: str) -> Problem:
    """The SDK's documentation says that the service refuses it."""
    return Problem(
        where,
        f"Step name '{name}' is not unique: the iterations of step '{body}' are named '{body}-<index>'.",
    )


def two_triggers(where: str, name: str) -> Problem:
    """Ours: a step ends in one way, so two triggers can never both be met."""
    return Problem(where, f"{_MODEL}Value for 'DependsOn' names step '{name}' with more than one Trigger.")


def no_such_output(where: str, step: str, path: str) -> Problem:
    """A Get names an output that its step does not declare, or a property that its type does not have."""
    return Problem(where, f"Step '{step}' references '{path}', which is not an output of that step.")


def property_file_of_other_type(where: str, step: str, path: str) -> Problem:
    """In the words of the SDK, which makes this check before it sends a definition."""
    return Problem(
        where,
        f"Invalid JsonGet function with '{path}' in step '{step}'. JsonGet function (with property_file) "
        "can only be evaluated on processing step outputs.",
    )


def no_such_property_file(where: str, step: str, name: str, other: str) -> Problem:
    """Refused when a pipeline is created or updated (sagemaker-python-sdk#3642), in the words of the SDK."""
    return Problem(
        where,
        f"Invalid JsonGet function in step '{step}'. Property file reference '{name}' is undefined in step "
        f"'{other}'.",
    )


def no_such_output_of_file(where: str, output: str, name: str, step: str) -> Problem:
    """In the words of the SDK."""
    return Problem(
        where,
        f"Processing output name '{output}' defined in property file '{name}' not found in processing step "
        f"'{step}'.",
    )


def cycle(names: Sequence[str]) -> Problem:
    """Steps that wait for each other; the first name is repeated at the end."""
    return Problem("Steps", f"The pipeline contains a cycle: {' -> '.join((*names, names[0]))}")


def undeclared_parameter(name: str) -> Problem:
    """An execution was given a value for a parameter that its pipeline does not declare."""
    return Problem(name, f"Pipeline parameter '{name}' is not declared in the pipeline definition.")


def parameter_without_value(name: str) -> Problem:
    """A parameter has neither a default nor a value."""
    return Problem(name, f"Pipeline parameter '{name}' has no default value and none was given.")


def unreadable_parameter(name: str, value: str, type_: str) -> Problem:
    """The text given for a parameter is not a value of its type."""
    return Problem(name, f"Value '{value}' for pipeline parameter '{name}' is not of type {type_}.")
