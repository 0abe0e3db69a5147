"""The errors of SQS in its own words; handlers and rules raise them from here."""

from passrole.faults import Fault

LEGAL_CHARACTERS = (
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF"
    " | #xE000 to #xFFFD | #x10000 to #x10FFFF"
)


def no_such_queue() -> Fault:
    """The queue is not there, or is another account's."""
    return Fault("QueueDoesNotExist", "The specified queue does not exist.")


def missing(parameter: str) -> Fault:
    """A parameter that this call needs is absent or empty."""
    return Fault("MissingParameter", f"The request must contain the parameter {parameter}.")


def invalid(message: str) -> Fault:
    """A parameter is wrong, in words of its own."""
    return Fault("InvalidParameterValue", message)


def invalid_value(value: object, parameter: str, reason: str) -> Fault:
    """A parameter's value is wrong, and why."""
    return invalid(f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def wrong_queue_type(value: object, parameter: str) -> Fault:
    """The parameter is for the other type of queue, standard or FIFO."""
    reason = "The request include parameter that is not valid for this queue type."
    return invalid_value(value, parameter, reason)


def unknown_attribute(name: str) -> Fault:
    """A queue, or a queue of this type, has no such attribute, or it cannot be set."""
    return Fault("InvalidAttributeName", f"Unknown Attribute {name}.")


def invalid_attribute(name: str) -> Fault:
    """A queue attribute's value is out of its range."""
    return Fault("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def invalid_handle(handle: str) -> Fault:
    """Not a receipt handle of this queue."""
    message = f'The input receipt handle "{handle}" is not a valid receipt handle.'
    return Fault("ReceiptHandleIsInvalid", message)


def expired_handle(handle: str) -> Fault:
    """A FIFO queue forgets a receipt when the message's visibility timeout ends."""
    return invalid_value(handle, "ReceiptHandle", "The receipt handle has expired.")


def check_range(value: int | None, parameter: str, low: int, high: int, reason: str) -> None:
    """Refuse a given value outside `low` to `high`."""
    if value is not None and not low <= value <= high:
        raise invalid_value(value, parameter, reason)
