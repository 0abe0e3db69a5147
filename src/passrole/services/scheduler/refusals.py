"""The errors of EventBridge Scheduler in its own words; handlers raise them from here."""

from passrole.faults import Fault


def invalid(message: str) -> Fault:
    """A value that this service does not take."""
    return Fault("ValidationException", message)


def no_schedule(name: str) -> Fault:
    """The group has no such schedule."""
    return Fault("ResourceNotFoundException", f"Schedule {name} does not exist.")


def no_group(name: str) -> Fault:
    """There is no such group."""
    return Fault("ResourceNotFoundException", f"Schedule group {name} does not exist.")


def schedule_exists(name: str) -> Fault:
    """The name is taken."""
    return Fault("ConflictException", f"Schedule {name} already exists.")


def group_exists(name: str) -> Fault:
    """The name is taken."""
    return Fault("ConflictException", f"Schedule group {name} already exists.")


def role_refused() -> Fault:
    """The role is not there, or does not trust EventBridge Scheduler."""
    return invalid("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")


def bad_expression(text: str) -> Fault:
    """No at, rate or cron."""
    return invalid(f"Invalid Schedule Expression {text}.")


def unsupported(what: str) -> Fault:
    """What AWS has and passrole has not."""
    return invalid(f"passrole does not support {what}")
