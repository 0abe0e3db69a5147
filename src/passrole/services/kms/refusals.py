"""The errors of KMS in its own words; handlers and rules raise them from here."""

from passrole.faults import Fault


def no_key(arn: str) -> Fault:
    """There is no such key."""
    return Fault("NotFoundException", f"Key '{arn}' does not exist")


def invalid_key_id(text: str) -> Fault:
    """Neither an id nor an ARN nor an alias."""
    return Fault("NotFoundException", f"Invalid keyId '{text}'")


def invalid_arn(text: str) -> Fault:
    """An ARN of something else, or of another region."""
    return Fault("InvalidArnException", f"Invalid arn {text}")


def no_alias(arn: str) -> Fault:
    """There is no such alias."""
    return Fault("NotFoundException", f"Alias {arn} is not found.")


def alias_exists(arn: str) -> Fault:
    """The alias's name is taken."""
    return Fault("AlreadyExistsException", f"An alias with the name {arn} already exists")


def bad_alias(message: str) -> Fault:
    """A name that no alias of a customer has."""
    return Fault("InvalidAliasNameException", message)


def disabled(arn: str) -> Fault:
    """The key is disabled."""
    return Fault("DisabledException", f"{arn} is disabled.")


def pending_deletion(arn: str) -> Fault:
    """The key will be deleted."""
    return Fault("KMSInvalidStateException", f"{arn} is pending deletion.")


def not_pending(arn: str) -> Fault:
    """CancelKeyDeletion of a key that nobody deletes."""
    return Fault("KMSInvalidStateException", f"{arn} is not pending deletion.")


def bad_ciphertext() -> Fault:
    """A ciphertext that was changed, or another encryption context: AWS says no more."""
    return Fault("InvalidCiphertextException", "")


def unknown_ciphertext() -> Fault:
    """A ciphertext of a key that is not here."""
    message = (
        "The ciphertext refers to a customer master key that does not exist, does not exist in this region,"
        " or you are not allowed to access."
    )
    return Fault("AccessDeniedException", message)


def other_key() -> Fault:
    """Decrypt names another key than the ciphertext."""
    message = "The key ID in the request does not identify a CMK that can perform this operation."
    return Fault("IncorrectKeyException", message)


def malformed_policy(message: str) -> Fault:
    """A key policy that cannot be one."""
    return Fault("MalformedPolicyDocumentException", message)


def no_policy(name: str) -> Fault:
    """The only policy of a key is called `default`."""
    return Fault("NotFoundException", f"No such policy exists: {name}")


def no_grant(grant_id: str) -> Fault:
    """There is no such grant on the key."""
    return Fault("NotFoundException", f"Grant ID {grant_id} not found")


def bad_grant_token() -> Fault:
    """RetireGrant: nobody was given this token."""
    return Fault("InvalidGrantTokenException", "Invalid grant token")


def bad_marker(_: str) -> Fault:
    """A cursor that was never given."""
    return Fault("InvalidMarkerException", "Marker is invalid.")


def bad_tag(message: str) -> Fault:
    """A tag that no key has."""
    return Fault("TagException", message)


def invalid(message: str) -> Fault:
    """A value that this service does not take."""
    return Fault("ValidationException", message)


def unsupported(what: str) -> Fault:
    """Something that AWS does and passrole does not."""
    return Fault("UnsupportedOperationException", f"passrole does not support {what}")


def dry_run() -> Fault:
    """DryRun, and the call would have succeeded."""
    message = "The request would have succeeded, but the DryRun option is set."
    return Fault("DryRunOperationException", message, status=412)
