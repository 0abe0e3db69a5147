"""The payloads of failures when the function itself could not respond, as recorded from AWS."""

import json
import signal

RESPONSE_BYTES_MAX = 6_291_556


def timed_out(request_id: str, seconds: int) -> bytes:
    """The function exceeded its timeout."""
    return _payload("Sandbox.Timedout", f"RequestId: {request_id} Error: {timeout_message(seconds)}")


def exited(request_id: str, code: int) -> bytes:
    """The process ended without a response; `code` is negative for a signal."""
    return _payload("Runtime.ExitError", f"RequestId: {request_id} Error: {_how(code)}")


def too_large() -> bytes:
    """The response exceeded AWS's limit."""
    message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes)."
    return _payload("Function.ResponseSizeTooLarge", message)


def timeout_message(seconds: int) -> str:
    """The message, which is also in the log."""
    return f"Task timed out after {seconds:.2f} seconds"


def _payload(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}, separators=(",", ":")).encode()


def _how(code: int) -> str:
    if code == 0:
        return "Runtime exited without providing a reason"
    if code > 0:
        return f"Runtime exited with error: exit status {code}"
    return f"Runtime exited with error: signal: {(signal.strsignal(-code) or str(-code)).lower()}"
