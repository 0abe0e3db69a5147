"""The errors of this room; what a server refuses is botocore's ClientError, in AWS's words."""


class InvalidInput(Exception):
    """What was given cannot be used: a folder, a name, a function's source. The message says why."""


class ServerUnavailable(Exception):
    """No server runs on the data folder, or none can be started. The message says why."""
