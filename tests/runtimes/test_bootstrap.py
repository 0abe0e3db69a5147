"""What a function can do and how it can fail; AWS's bootstrap and ours answer alike."""

import json
from typing import Any

import pytest
from tests.runtimes.conftest import Bench

NOT_JSON = "Unable to marshal response: Object of type set is not JSON serializable"
RAISES = [
    # handler's source           error type              message
    ("raise ValueError('no')",   "ValueError",           "no"),
    ("raise KeyError('k')",      "KeyError",             "'k'"),
    ("return {1, 2}",            "Runtime.MarshalError", NOT_JSON),
]  # fmt: skip

EXITS = [
    # what runs, in a handler or at import       how it is told
    ("import sys; sys.exit(4)",                  "with error: exit status 4"),
    ("import os; os._exit(3)",                   "with error: exit status 3"),
    ("import os; os._exit(0)",                   "without providing a reason"),
    ("import os; os.kill(os.getpid(), 9)",       "with error: signal: killed"),
    ("import os; os.kill(os.getpid(), 15)",      "with error: signal: terminated"),
]  # fmt: skip

NO_DOT = "Bad handler 'h': not enough values to unpack (expected 2, got 1)"
DOES_NOT_LOAD = [
    # module's source     handler      error type               message
    ("import nothing",    "h.handler", "ImportModuleError",     "Unable to import module 'h': {}nothing'"),
    ("pass",              "g.handler", "ImportModuleError",     "Unable to import module 'g': {}g'"),
    ("pass",              "h.handler", "HandlerNotFound",       "Handler 'handler' missing on module 'h'"),
    ("pass",              "h",         "MalformedHandlerName",  NO_DOT),
    ("pass",              "sys.exit",  "BuiltInModuleConflict", "Cannot use built-in module sys{}"),
    ("x =",               "h.handler", "UserCodeSyntaxError",   "Syntax error in module 'h'{}"),
]  # fmt: skip
_ELIDED = {
    "ImportModuleError": "No module named '",
    "BuiltInModuleConflict": " as a handler module",
    "UserCodeSyntaxError": ": invalid syntax (h.py, line 1)",
}

RETURNS = [
    # handler's source                            event                   result
    ("return event",                              {"a": [1, "ü", None]},  {"a": [1, "ü", None]}),
    ("pass",                                      {},                     None),
    ("import decimal; return decimal.Decimal(2)", {},                     2),
    ("import decimal; return decimal.Decimal('1.5')", {},                 1.5),
    ("return context.aws_request_id",             {},                     "r-1"),
    ("return context.function_name",              {},                     "f"),
    ("return context.memory_limit_in_mb",         {},                     "512"),
    ("return context.invoked_function_arn[-12:]", {},                     "3:function:f"),
    ("return context.identity.cognito_identity_id", {},                   None),
    ("return 8000 < context.get_remaining_time_in_millis() <= 10000", {}, True),
]  # fmt: skip


@pytest.mark.parametrize("source, event, expected", RETURNS)
def test_a_handler_gets_its_event_and_its_context(
    bench: Bench, source: str, event: Any, expected: Any
) -> None:
    result = bench.once(bench.function(source), event)
    assert (result.error, json.loads(result.payload)) == (None, expected)


@pytest.mark.parametrize("source, kind, message", RAISES)
def test_a_failing_handler_is_told_in_awss_words(bench: Bench, source: str, kind: str, message: str) -> None:
    result = bench.once(bench.function(source))
    told = json.loads(result.payload)
    assert (result.error, told["errorType"], told["errorMessage"]) == ("Unhandled", kind, message)


def test_an_exception_brings_its_own_frames_only(bench: Bench) -> None:
    spec = bench.function(
        "def handler(event, context):\n    inner()\ndef inner():\n    raise ValueError('no')\n"
    )
    told = json.loads(bench.once(spec).payload)
    file = bench.root(spec) / "h.py"
    frames = [f'  File "{file}", line {line}, in {what}\n    {text}\n' for line, what, text in (
        (2, "handler", "inner()"), (4, "inner", "raise ValueError('no')"))]  # fmt: skip
    assert told == {"errorMessage": "no", "errorType": "ValueError", "requestId": "r-1", "stackTrace": frames}


@pytest.mark.parametrize("source, how", EXITS)
@pytest.mark.parametrize("where", ["handler", "import"])
def test_a_process_that_ends_is_told(bench: Bench, source: str, how: str, where: str) -> None:
    result = bench.once(bench.function(source if where == "handler" else f"{source}\ndef handler(): pass"))
    message = f"RequestId: r-1 Error: Runtime exited {how}"
    told = {"errorType": "Runtime.ExitError", "errorMessage": message}
    assert (result.error, json.loads(result.payload)) == ("Unhandled", told)


@pytest.mark.parametrize("source, handler, kind, message", DOES_NOT_LOAD)
def test_a_module_that_does_not_load_is_told(
    bench: Bench, source: str, handler: str, kind: str, message: str
) -> None:
    result = bench.once(bench.function(source, handler=handler))
    told = json.loads(result.payload)
    assert (result.error, told["requestId"]) == ("Unhandled", "")
    assert told["errorType"] == f"Runtime.{kind}"
    assert told["errorMessage"] == message.format(_ELIDED.get(kind, ""))


def test_an_exception_at_import_is_told(bench: Bench) -> None:
    told = json.loads(bench.once(bench.function("raise ValueError('early')", handler="h.handler")).payload)
    assert (told["errorType"], told["errorMessage"]) == ("ValueError", "early")


def test_an_exception_is_in_the_log(bench: Bench) -> None:
    log = bench.once(bench.function("raise ValueError('no')")).log.decode()
    assert "[ERROR] ValueError: no\nTraceback (most recent call last):\n" in log
    assert "\r" not in log


def test_logging_writes_lambdas_lines(bench: Bench) -> None:
    log = bench.once(bench.function("import logging; logging.warning('careful %d', 7)")).log.decode()
    (line,) = [line for line in log.splitlines() if "careful" in line]
    level, moment, request_id, message = line.split("\t")
    assert (level, request_id, message, moment[-1]) == ("[WARNING]", "r-1", "careful 7", "Z")


def test_a_file_named_like_a_library_module_does_not_break_the_bootstrap(bench: Bench) -> None:
    taken = {"json.py": "raise RuntimeError", "awslambdaric.py": "raise RuntimeError"}
    result = bench.once(bench.function("return 1", files=taken))
    assert (result.error, result.payload) == (None, b"1")


def test_bytes_are_answered_as_they_are(bench: Bench) -> None:
    assert bench.once(bench.function("return b'\\x00raw'")).payload == b"\x00raw"
