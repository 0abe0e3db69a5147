"""A line of the log for each call: who, what, the verdict, the HTTP status, how long it took, the request id.

A call that succeeded is told at info, one that was refused at warning with the reason. No parameter's value
is in a line: messages that quote one lose it.
"""

import logging
import re
from typing import Any, Final, Literal

from passrole.config import Config
from passrole.faults import Fault
from passrole.log_format import FORMATTERS, catch_all

log = logging.getLogger("passrole.calls")

Outcome = Literal["allowed", "denied", "refused", "failed"]
"""`denied` by a policy, `refused` for another reason, `failed` by a defect of passrole or of the machine."""

_LINE: Final = "%(principal)s %(action)s %(verdict)s %(status)d %(duration_ms).1f ms %(request_id)s"
_REFUSAL: Final = f"{_LINE}: %(code)s: %(reason)s"
_REASON_CHARACTERS_MAX, _PATH_CHARACTERS_MAX = 1_000, 200
# "Value 'x' at 'path' failed to satisfy constraint: ..." of AWS's validation, "Value x for parameter P is
# invalid" of SQS. A value without that end takes the rest along: else a hostile one, of many such words,
# would be read as often as it has them.
_QUOTED_VALUE = re.compile(
    r"\bValue (?!of |for |must ).*?"
    r"(?: (?=at '[^']{0,200}' failed to satisfy|for parameter \S{1,200} is invalid)|\Z)",
    re.DOTALL,
)
_MESSAGE_CHARACTERS_MAX = 65_536


def start(config: Config) -> None:
    """Have the server's log written to standard error as the settings ask for it."""
    _leave_out_what_no_line_has()
    handler = logging.StreamHandler()
    handler.setFormatter(FORMATTERS[config.log_format]())
    logging.basicConfig(level=config.log_level.upper(), handlers=[handler])
    log.disabled = not config.log_calls
    catch_all()


def _leave_out_what_no_line_has() -> None:
    """The place in the source, the thread and the process: to find them takes half the time of a line.

    https://docs.python.org/3/howto/logging.html#optimization
    """
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def allowed(principal: str, action: str, request_id: str, seconds: float) -> None:
    """Tell a call that succeeded."""
    if log.isEnabledFor(logging.INFO):
        log.info(_LINE, _members(principal, action, "allowed", 200, seconds, request_id))


def refused(
    principal: str,
    action: str,
    request_id: str,
    seconds: float,
    fault: Fault,
    status: int,
    *,
    is_denied: bool,
) -> None:
    """Tell a call that did not succeed."""
    if not log.isEnabledFor(logging.WARNING):
        return
    members = _members(principal, action, outcome(status, is_denied=is_denied), status, seconds, request_id)
    log.warning(_REFUSAL, {**members, "code": fault.code, "reason": without_values(fault.message)})


def outcome(status: int, *, is_denied: bool) -> Outcome:
    """What became of a call that did not succeed."""
    return "denied" if is_denied else "failed" if status >= 500 else "refused"


def refused_unread(method: str, path: str, request_id: str, fault: Fault, status: int) -> None:
    """Tell a request that was refused before its caller or operation was known, without its query."""
    refused("-", f"{method} {path[:_PATH_CHARACTERS_MAX]}", request_id, 0.0, fault, status, is_denied=False)


def without_values(message: str) -> str:
    """The first line of a message, without the values that it quotes."""
    first = _QUOTED_VALUE.sub("Value ", message[:_MESSAGE_CHARACTERS_MAX]).partition("\n")[0]
    return first[:_REASON_CHARACTERS_MAX]


def _members(
    principal: str, action: str, verdict: Outcome, status: int, seconds: float, request_id: str
) -> dict[str, Any]:
    return {
        "principal": principal,
        "action": action,
        "verdict": verdict,
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
        "request_id": request_id,
    }
