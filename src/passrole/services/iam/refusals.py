"""The errors of IAM in its own words; handlers and rules raise them from here."""

from passrole.faults import Fault


def no_such(message: str) -> Fault:
    """Something that the call names is not there."""
    return Fault("NoSuchEntity", message, status=404)


def no_such_policy(arn: str) -> Fault:
    """A managed policy is not there, or is not attached where it was to be detached."""
    return no_such(f"Policy {arn} was not found.")


def not_attachable(arn: str) -> Fault:
    """A managed policy that is to be attached is not there."""
    return no_such(f"Policy {arn} does not exist or is not attachable.")


def already_exists(message: str) -> Fault:
    """The name is taken."""
    return Fault("EntityAlreadyExists", message, status=409)


def in_use(must: str) -> Fault:
    """An entity cannot go before something else has."""
    return Fault("DeleteConflict", f"Cannot delete entity, must {must} first.", status=409)


def delete_conflict(message: str) -> Fault:
    """It cannot be deleted, in words of its own."""
    return Fault("DeleteConflict", message, status=409)


def quota(name: str, most: int) -> Fault:
    """One more than an account may have."""
    return Fault("LimitExceeded", f"Cannot exceed quota for {name}: {most}", status=409)


def limit(message: str) -> Fault:
    """Too many or too large, in words of its own."""
    return Fault("LimitExceeded", message, status=409)


def malformed(message: str) -> Fault:
    """A document is no policy."""
    return Fault("MalformedPolicyDocument", message, status=400)


def invalid(message: str) -> Fault:
    """A parameter is wrong."""
    return Fault("ValidationError", message, status=400)


def no_arn() -> Fault:
    """What should be an ARN is none at all."""
    return invalid("Invalid ARN:  Could not be parsed!")


def other_partition() -> Fault:
    """An ARN of another partition than this one."""
    return invalid("Invalid ARN partition")


def wrong_arn(arn: str) -> Fault:
    """An ARN of something that the operation is not about."""
    return invalid(f"ARN {arn} is not valid.")


def protected(role_name: str) -> Fault:
    """Only its service changes a service-linked role."""
    message = (
        f"Cannot perform the operation on the protected role '{role_name}' - this role is only modifiable"
        " by AWS"
    )
    return Fault("UnmodifiableEntity", message, status=400)


def invalid_input(message: str) -> Fault:
    """A parameter has the right form and the wrong content."""
    return Fault("InvalidInput", message, status=400)


def unmodifiable(message: str) -> Fault:
    """AWS's own policies are AWS's."""
    return Fault("AccessDenied", message, status=403)
