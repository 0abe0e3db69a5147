"""The program of a worker: `bootstrap.py (awslambdaric | own) module.handler [folder ...]`, in the function's
environment. The folders are those of its layers, where modules are looked for after its own.

It starts AWS's runtime interface client, or, where that has no wheel, implements the Runtime API itself with
the same payloads. It runs inside the worker, so it imports only the standard library and nothing of passrole.
Its imports come before the function's folder is on the path, so that a file there named `json.py` cannot
replace the library's.
"""

import contextlib
import decimal
import importlib
import json
import logging
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

_API = "/2018-06-01/runtime/"
_LOG_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
Handler = Callable[[Any, "Context"], Any]


def main(runtime: str, handler: str, *layers: str) -> None:
    """Serve invocations until the server goes away."""
    serve: Callable[[str], None] = _serve
    if runtime == "awslambdaric":
        serve = _awslambdaric()

    root = os.environ["LAMBDA_TASK_ROOT"]
    os.environ.setdefault("PYTHONPATH", os.pathsep.join((root, *layers)))
    sys.path[:0] = [root, *layers]
    sys.argv[:] = [sys.argv[0]]
    serve(handler)


def _awslambdaric() -> Callable[[str], None]:
    """AWS's client, adapted to an API below a path.

    Its compiled part accepts a path in AWS_LAMBDA_RUNTIME_API. Its Python part, which reports functions that
    cannot be loaded, expects host and port only.
    """
    from awslambdaric import __main__ as client
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

    class Below(LambdaRuntimeClient):  # type: ignore[misc, unused-ignore]  # it is installed on Linux alone
        lambda_runtime_address: str

        def call_rapid(self, http_method: str, endpoint: str, *rest: Any, **more: Any) -> None:
            address, _, path = self.lambda_runtime_address.partition("/")
            self.lambda_runtime_address = address
            super().call_rapid(http_method, f"/{path}{endpoint}", *rest, **more)

    client.LambdaRuntimeClient = Below
    return lambda handler: client.main(["awslambdaric", handler])


class Fault(Exception):
    """A failure with a name of Lambda's, such as Runtime.HandlerNotFound."""

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.trace = trace or []


class Identity:
    """The empty Cognito identity."""

    cognito_identity_id = None
    cognito_identity_pool_id = None


class Context:
    """The second argument of a handler."""

    def __init__(self, request_id: str, arn: str, deadline_ms: int) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.client_context = None
        self.identity = Identity()
        self._deadline_ms = deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        """The milliseconds until the timeout."""
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message: object) -> None:
        """Write to the log."""
        sys.stdout.write(str(message))


class RuntimeApi:
    """A client of the Runtime API with one persistent connection."""

    def __init__(self, address: str) -> None:
        """`address` is `host:port` or `host:port/path`."""
        self._host, slash, path = address.partition("/")
        self._path = slash + path + _API
        host, _, port = self._host.rpartition(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = self._socket.makefile("rb")

    def next(self) -> tuple[dict[str, str], bytes]:
        """The headers (lower case) and the event of the next invocation."""
        return self._call("GET", "invocation/next")

    def respond(self, request_id: str, body: bytes) -> None:
        """Send the handler's result."""
        self._call("POST", f"invocation/{request_id}/response", body)

    def fail(self, path: str, error: dict[str, Any]) -> None:
        """Send an error of an invocation or of the initialisation."""
        self._call("POST", path, json.dumps(error).encode(), error["errorType"])

    def _call(
        self, method: str, path: str, body: bytes = b"", error_type: str = ""
    ) -> tuple[dict[str, str], bytes]:
        head = (
            f"{method} {self._path}{path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Length: {len(body)}\r\n"
        )
        if error_type:
            head += f"Lambda-Runtime-Function-Error-Type: {error_type}\r\n"
        self._socket.sendall(head.encode() + b"\r\n" + body)
        return self._response()

    def _response(self) -> tuple[dict[str, str], bytes]:
        if not self._stream.readline():
            raise ConnectionError("the server went away")
        headers = {}
        while line := self._stream.readline().strip():
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return headers, self._stream.read(int(headers.get("content-length", 0)))


class _Numbers(json.JSONEncoder):
    """Encodes Decimals, which DynamoDB returns, as numbers, like AWS's runtime."""

    def default(self, o: Any) -> Any:
        if isinstance(o, decimal.Decimal):
            return int(o) if o == o.to_integral_value() else float(o)
        return super().default(o)


class _Log(logging.Handler):
    """Lambda's log lines, with the current request id."""

    request_id = ""

    def emit(self, record: logging.LogRecord) -> None:
        record.aws_request_id = _Log.request_id
        sys.stdout.write(self.format(record))


def _serve(name: str) -> None:
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    _set_up_logging()
    handler = _loaded(api, name)
    with contextlib.suppress(ConnectionError):
        while True:
            headers, event = api.next()
            _handle(api, handler, headers, event)
    os._exit(0)


def _set_up_logging() -> None:
    log = _Log()
    log.setFormatter(logging.Formatter(_LOG_FORMAT, "%Y-%m-%dT%H:%M:%S"))
    logging.Formatter.converter = time.gmtime
    logging.getLogger().addHandler(log)


def _loaded(api: RuntimeApi, name: str) -> Handler:
    try:
        return _find(name)
    except Exception as error:
        failure = _described(error, "")
        _print_failure(failure)
        api.fail("init/error", failure)
        sys.exit(1)


def _find(name: str) -> Handler:
    module_name, dot, function = name.rpartition(".")
    if not dot:
        message = "not enough values to unpack (expected 2, got 1)"
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{name}': {message}")
    if module_name.split(".")[0] in sys.builtin_module_names:
        message = f"Cannot use built-in module {module_name} as a handler module"
        raise Fault("Runtime.BuiltInModuleConflict", message)
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise Fault("Runtime.ImportModuleError", message) from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        message = f"Syntax error in module '{module_name}': {error}"
        raise Fault("Runtime.UserCodeSyntaxError", message, trace) from error
    found: Handler | None = getattr(module, function, None)
    if found is None:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module_name}'")
    return found


def _handle(api: RuntimeApi, handler: Handler, headers: dict[str, str], event: bytes) -> None:
    request_id = headers["lambda-runtime-aws-request-id"]
    _Log.request_id = request_id
    context = Context(
        request_id,
        headers["lambda-runtime-invoked-function-arn"],
        int(headers["lambda-runtime-deadline-ms"]),
    )
    try:
        body = _encoded(handler(_decoded(event), context))
    except Exception as error:
        failure = _described(error, request_id)
        _print_failure(failure)
        api.fail(f"invocation/{request_id}/error", failure)
    else:
        api.respond(request_id, body)


def _decoded(event: bytes) -> Any:
    try:
        return json.loads(event)
    except ValueError as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error


def _encoded(result: Any) -> bytes:
    if isinstance(result, bytes):
        return result
    try:
        return _Numbers().encode(result).encode()
    except Exception as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _described(error: Exception, request_id: str) -> dict[str, Any]:
    if isinstance(error, Fault):
        kind, trace = error.kind, error.trace
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [index for index, frame in enumerate(frames) if frame.filename == __file__]
        kind = type(error).__name__
        visible = frames[own[-1] + 1 if own else 0 :]
        # four fields and no columns: AWS's traces carry no carets
        trace = traceback.format_list([(f.filename, f.lineno or 0, f.name, f.line) for f in visible])
    return {
        "errorMessage": str(error),
        "errorType": kind,
        "requestId": request_id,
        "stackTrace": trace,
    }


def _print_failure(failure: dict[str, Any]) -> None:
    lines = [f"[ERROR] {failure['errorType']}: {failure['errorMessage']}"]
    lines += ["Traceback (most recent call last):", *(line.rstrip("\n") for line in failure["stackTrace"])]
    sys.stdout.write("\n".join(lines) + "\n")


def _usage() -> NoReturn:
    sys.exit("usage: bootstrap.py (awslambdaric | own) module.handler [folder ...]")


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) >= 3 else _usage()
