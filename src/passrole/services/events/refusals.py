"""The errors of EventBridge in its own words; handlers raise them from here."""

from passrole.faults import Fault


def invalid(message: str) -> Fault:
    """A value that this service does not take."""
    return Fault("ValidationException", message)


def no_rule(name: str, bus: str) -> Fault:
    """The bus has no such rule."""
    return Fault("ResourceNotFoundException", f"Rule {name} does not exist on EventBus {bus}.")


def no_bus(name: str) -> Fault:
    """There is no such bus."""
    return Fault("ResourceNotFoundException", f"Event bus {name} does not exist.")


def bad_pattern(reason: str) -> Fault:
    """The pattern is refused."""
    return Fault("InvalidEventPatternException", f"Event pattern is not valid. Reason: {reason}")


def limit() -> Fault:
    """One more than there may be."""
    return Fault("LimitExceededException", "The requested resource exceeds the maximum number allowed.")


def role_refused(arn: str) -> Fault:
    """The role is not there, or does not trust EventBridge."""
    message = f"Provided role '{arn}' cannot be assumed by principal 'events.amazonaws.com'."
    return Fault("ValidationException", message)


def bad_arn(arn: str) -> Fault:
    """No ARN at all."""
    return invalid(f"Parameter {arn} is not valid. Reason: Provided Arn is not in correct format.")
