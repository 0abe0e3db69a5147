"""The errors of Lambda in its own words; handlers and rules raise them from here."""

from collections.abc import Sequence

from passrole.faults import Fault


def not_found(arn: str) -> Fault:
    """There is no such function, or no such version of it."""
    return Fault("ResourceNotFoundException", f"Function not found: {arn}")


def other_region(region: str, own: str) -> Fault:
    """An ARN of another region."""
    message = f"Functions from '{region}' are not reachable in this region ('{own}')"
    return Fault("ResourceNotFoundException", message)


def other_account() -> Fault:
    """An ARN of another account: AWS says no more than 403."""
    return Fault("AccessDeniedException", "", status=403)


def exists(name: str) -> Fault:
    """The name is taken."""
    return Fault("ResourceConflictException", f"Function already exist: {name}")


def invalid(message: str) -> Fault:
    """A value that this service does not take."""
    return Fault("InvalidParameterValueException", message)


def constraint(value: object, member: str, rule: str) -> Fault:
    """A value outside a limit that the service description does not have."""
    message = f"Value '{value}' at '{member}' failed to satisfy constraint: Member must {rule}"
    return Fault("ValidationException", f"1 validation error detected: {message}")


def unknown_runtime(runtime: str, known: Sequence[str]) -> Fault:
    """AWS knows no such runtime."""
    return invalid(
        f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set:"
        f" [{', '.join(known)}] or be a valid ARN"
    )


def unsupported(what: str) -> Fault:
    """Something that AWS does and passrole does not."""
    return invalid(f"passrole does not support {what}")


def role_refused() -> Fault:
    """CreateFunction and updates: the role is not there or does not trust Lambda."""
    return invalid("The role defined for the function cannot be assumed by Lambda.")


def role_lost() -> Fault:
    """Invoke: the role was fine once."""
    message = "The role defined for the function cannot be assumed by Lambda."
    return Fault("AccessDeniedException", message, status=403)


def bad_archive() -> Fault:
    """Not a zip file that can be unpacked."""
    return invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")


def archive_too_large(bytes_max: int) -> Fault:
    """The zip file itself."""
    message = f"Zipped size must be smaller than {bytes_max} bytes"
    return Fault("RequestEntityTooLargeException", message, status=413)


def unpacked_too_large(bytes_max: int) -> Fault:
    """What is in the zip file."""
    return invalid(f"Unzipped size must be smaller than {bytes_max} bytes")


def with_layers_too_large(bytes_max: int, size: int) -> Fault:
    """A function's code and its layers together."""
    return invalid(
        f"Function code combined with layers exceeds the maximum allowed size of {bytes_max} bytes."
        f" The actual size is {size} bytes."
    )


def no_layer(arn: str) -> Fault:
    """A function names a version that does not exist."""
    return invalid(f"Layer version {arn} does not exist.")


def layer_twice(arn: str, other: str) -> Fault:
    """A function names two versions of one layer, or one twice."""
    return invalid(
        "Two different versions of the same layer are not allowed to be referenced in the same function."
        f" {arn} and {other} are versions of the same layer."
    )


def layer_elsewhere(region: str) -> Fault:
    """A function names a layer of another region."""
    return invalid(
        f"Layers are not in the same region as the function. Layers are expected to be in region {region}."
    )


def foreign_layer(arn: str, name: str) -> Fault:
    """A function names a layer of another account, such as AWS's own: they are not on this machine."""
    return unsupported(
        f"layers of other accounts ({arn}). Publish your own: install its packages with"
        f" `pip install --target python PACKAGE`, zip the folder `python`, and run"
        f" `aws lambda publish-layer-version --layer-name {name} --zip-file fileb://layer.zip`"
    )


def layer_too_wide(most: int) -> Fault:
    """More beside each other than a sandbox is given."""
    return unsupported(f"layers with more than {most} files and folders at their root: put them into one")


def payload_too_large(bytes_max: int) -> Fault:
    """An event over the limit of its invocation type."""
    message = f"Request must be smaller than {bytes_max} bytes for the InvokeFunction operation"
    return Fault("RequestTooLargeException", message, status=413)


def not_json(reason: str) -> Fault:
    """An event that is not JSON."""
    return Fault("InvalidRequestContentException", f"Could not parse request body into json: {reason}")


def too_many() -> Fault:
    """More at once than may run, or no worker became free in time."""
    members = {"Reason": "ConcurrentInvocationLimitExceeded", "Type": "User"}
    return Fault("TooManyRequestsException", "Rate Exceeded.", status=429, members=members)


def revision_differs() -> Fault:
    """The caller's RevisionId is not the function's."""
    message = (
        "The Revision Id provided does not match the latest Revision Id."
        " Call the GetFunction/GetAlias API to retrieve the latest Revision Id"
    )
    return Fault("PreconditionFailedException", message, status=412)


def no_alias(arn: str) -> Fault:
    """There is no such alias."""
    return Fault("ResourceNotFoundException", f"Cannot find alias arn: {arn}")


def alias_exists(arn: str) -> Fault:
    """The alias's name is taken."""
    return Fault("ResourceConflictException", f"Alias already exists: {arn}")


def aliased(names: Sequence[str]) -> Fault:
    """A version that aliases still mean cannot be deleted."""
    listed = ", ".join(names)
    message = f"Unable to delete version because the following aliases reference it: [{listed}]"
    return Fault("ResourceConflictException", message)


def being_updated(arn: str) -> Fault:
    """Others change the function all the time."""
    message = f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"
    return Fault("ResourceConflictException", message)


def nothing_there() -> Fault:
    """There is no event source mapping of that UUID, or no policy on the function."""
    return Fault("ResourceNotFoundException", "The resource you requested does not exist.")


def mapping_exists(source_arn: str, function_arn: str, uuid: str) -> Fault:
    """A queue is mapped to a function once."""
    function = function_arn.rpartition(":")[2]
    message = (
        f'The event source arn (" {source_arn} ") and function (" {function} ") provided mapping already'
        f" exists. Please update or delete the existing mapping with UUID {uuid}"
    )
    return Fault("ResourceConflictException", message)


def too_many_tags() -> Fault:
    """More tags than a function may have."""
    return invalid("Number of tags exceeds resource tag limit.")


def no_tags() -> Fault:
    """TagResource without tags: AWS says no more."""
    return invalid("An error occurred and the request cannot be processed.")


def qualified_tags() -> Fault:
    """Only functions have tags."""
    return invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")


def no_function() -> Fault:
    """Event invoke configs: there is no such function, version or alias."""
    return Fault("ResourceNotFoundException", "The function doesn't exist.")


def no_event_config(arn: str) -> Fault:
    """The function, version or alias has no event invoke config."""
    return Fault("ResourceNotFoundException", f"The function {arn} doesn't have an EventInvokeConfig")


def bad_destinations(on_success: str | None, on_failure: str | None) -> Fault:
    """A destination is of a service that is none."""
    success = f"OnSuccess(destination={on_success})" if on_success else "null"
    failure = f"OnFailure(destination={on_failure})" if on_failure else "null"
    return invalid(
        f"The provided destination config DestinationConfig(onSuccess={success}, onFailure={failure})"
        " is invalid."
    )


def no_destination(arn: str) -> Fault:
    """The destination does not exist, or cannot be one."""
    return invalid(f"The destination ARN {arn} is invalid.")


def unreachable_destination(operation: str, arn: str) -> Fault:
    """The function's role may not call the destination."""
    return invalid(f"The function's execution role does not have permissions to call {operation} on {arn}")


def no_dead_letter_permission() -> Fault:
    """The role may not send to the dead-letter queue."""
    return invalid("The provided execution role does not have permissions to call SendMessage on SQS")


def bad_dead_letter_target(arn: str) -> Fault:
    """The dead-letter queue does not exist, or is a FIFO queue."""
    return invalid(f"The provided target ARN {arn} is invalid: it must be a standard queue that exists.")


def no_statement(sid: str) -> Fault:
    """The policy has no such statement."""
    return Fault("ResourceNotFoundException", f"Statement {sid} is not found in resource policy.")


def statement_exists(sid: str) -> Fault:
    """The policy has a statement of that id already."""
    message = (
        f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove the"
        " existing statement."
    )
    return Fault("ResourceConflictException", message)


def bad_principal() -> Fault:
    """AddPermission: nobody has this name."""
    return invalid("The provided principal was invalid. Please check the principal and try again.")


def policy_too_long(bytes_max: int) -> Fault:
    """More statements than a policy holds."""
    return Fault(
        "PolicyLengthExceededException", f"The final policy size is bigger than the limit ({bytes_max})."
    )
