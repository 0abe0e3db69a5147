"""The errors of CloudWatch Logs in its own words; handlers raise them from here."""

from passrole.faults import Fault


def no_group() -> Fault:
    """There is no such group."""
    return Fault("ResourceNotFoundException", "The specified log group does not exist.")


def no_stream() -> Fault:
    """The group is there, the stream is not."""
    return Fault("ResourceNotFoundException", "The specified log stream does not exist.")


def exists(what: str) -> Fault:
    """The name is taken; `what` is `group` or `stream`."""
    return Fault("ResourceAlreadyExistsException", f"The specified log {what} already exists")


def invalid(message: str) -> Fault:
    """A value that this service does not take."""
    return Fault("InvalidParameterException", message)
