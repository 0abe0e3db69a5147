"""The errors of this room. A server's refusal is botocore's ClientError with AWS's message."""


class InvalidInput(Exception):
    """The input is invalid: a folder, a name, a function's source. The message says why."""


class ServerUnavailable(Exception):
    """No server runs on the data folder, or none can be started. The message says why."""
