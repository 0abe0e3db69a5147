"""An execution as a test looks at it: it is waited for, and its assertions say what they saw.

Each assertion waits for the end of the execution, or for what it is about, and returns the object it is of.
A failure shows every step with its reason, and what to do about it.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from passrole.client.progress import ENDED
from passrole.history.projection import STUBBED
from passrole.testing.observed import Observed

__tracebackhide__ = True  # pytest shows the line of the test, not ours
WAIT_SECONDS = 30.0
_POLL_SECONDS, _POLL_SECONDS_MAX = 0.001, 0.01
_WAITING = "Executing"
_RUNNING = ("Executing", "Stopping")
_DENIED = re.compile(r"not authorized to perform: (\S+)")


class Execution:
    """One execution of a pipeline; `arn` names it."""

    def __init__(self, observed: Observed, arn: str, *, seconds_max: float = WAIT_SECONDS) -> None:
        self._observed = observed
        self._seconds_max = seconds_max
        self.arn = arn

    def __repr__(self) -> str:
        return f"<execution {self.arn.rpartition('/')[2]}: {self.status}>"

    @property
    def status(self) -> str:
        """Its status now, such as `Executing`."""
        return str(self._described()["PipelineExecutionStatus"])

    @property
    def reason(self) -> str:
        """Why it failed; empty where it did not."""
        return str(self._described().get("FailureReason", ""))

    @property
    def steps(self) -> list[str]:
        """The names of the steps that have begun, in that order."""
        return [step["StepName"] for step in self.listed()]

    def step(self, name: str) -> "Step":
        """A step of the pipeline, whether it has begun or not. AssertionError where there is no such step."""
        known = self._observed.pipeline(self.arn).steps
        if name not in known:
            raise AssertionError(f"the pipeline has no step `{name}`; it has {', '.join(known)}")
        return Step(self._observed, self, name)

    def wait(self, seconds: float | None = None) -> "Execution":
        """Wait for the end, `seconds` of real time at most. AssertionError where it does not come."""
        self.until(lambda: self.status in ENDED, "it did not end", seconds)
        return self

    def succeeded(self) -> "Execution":
        """It ends as Succeeded."""
        return self._ended_as("Succeeded")

    def stopped(self) -> "Execution":
        """It ends as Stopped."""
        return self._ended_as("Stopped")

    def failed(self, reason: str = "") -> "Execution":
        """It ends as Failed, or with failures that were handled; the reason of a step has this text."""
        ended = self.wait().status
        if ended not in ("Failed", "CompletedWithFailures"):
            raise AssertionError(f"expected the execution to fail, it {ended}\n{self.report()}")
        reasons = [self.reason, *(str(step.get("FailureReason", "")) for step in self.listed())]
        if not any(reason in each for each in reasons):
            raise AssertionError(f"expected a failure with the reason `{reason}`\n{self.report()}")
        return self

    def denied(self, action: str) -> "Execution":
        """IAM denied the execution's role the action (`sqs:SendMessage`), for one of its steps."""
        self.wait()
        if not self._observed.is_denied(self.arn, action):
            raise AssertionError(f"expected {action} to be denied, it was not\n{self.report()}")
        return self

    def took(self, *steps: str) -> "Execution":
        """At its end, exactly these steps have run, in any order."""
        ran = self.wait().steps
        if set(ran) != set(steps):
            missing, beyond = sorted(set(steps) - set(ran)), sorted(set(ran) - set(steps))
            told = [f"`{name}` did not run" for name in missing] + [f"`{name}` ran too" for name in beyond]
            raise AssertionError(f"{', '.join(told)}\n{self.report()}")
        return self

    def stop(self) -> "Execution":
        """Ask for its end."""
        self._observed.sagemaker.stop_pipeline_execution(
            PipelineExecutionArn=self.arn, ClientRequestToken=f"stop-{self.arn.rpartition('/')[2]:0>32}"
        )
        return self

    def retry(self) -> "Execution":
        """Run again what has failed."""
        self._observed.sagemaker.retry_pipeline_execution(
            PipelineExecutionArn=self.arn, ClientRequestToken=f"retry-{time.time_ns():0>32}"
        )
        return self

    def listed(self) -> list[dict[str, Any]]:
        """The steps that have begun, as ListPipelineExecutionSteps has them, oldest first."""
        return self._observed.steps(self.arn)

    def report(self) -> str:
        """Every step with its status, reason and what it waits for; what to do next."""
        begun = {step["StepName"]: step for step in self.listed()}
        lines = [f"execution {self.arn.rpartition('/')[2]}: {self.status} {self.reason}".rstrip()]
        lines += [_line(name, begun.get(name)) for name in self._observed.pipeline(self.arn).steps]
        lines += _advice(begun)
        return "\n".join(lines)

    def save(self, path: str | Path) -> Path:
        """Record the execution in a file for `passrole replay`; its path."""
        file = Path(path)
        file.write_text(json.dumps(self._observed.recording(self.arn), indent=1), encoding="utf-8")
        return file

    def until(self, is_so: Callable[[], bool], complaint: str, seconds: float | None = None) -> None:
        """Wait until something is so. AssertionError with the complaint where that takes too long."""
        allowed = self._seconds_max if seconds is None else seconds
        end, pause = time.monotonic() + allowed, _POLL_SECONDS
        while not is_so():
            if time.monotonic() > end:
                raise AssertionError(f"{complaint} within {allowed:g} s\n{self.report()}")
            time.sleep(pause)
            pause = min(2 * pause, _POLL_SECONDS_MAX)

    def _ended_as(self, wanted: str) -> "Execution":
        if self.wait().status != wanted:
            raise AssertionError(f"expected the execution to be {wanted}\n{self.report()}")
        return self

    def _described(self) -> dict[str, Any]:
        return self._observed.description(self.arn)


class Step:
    """A step of an execution."""

    def __init__(self, observed: Observed, execution: Execution, name: str) -> None:
        self._observed = observed
        self._execution = execution
        self.name = name

    def __repr__(self) -> str:
        return f"<step {self.name}: {self.status}>"

    @property
    def status(self) -> str:
        """Its status now; `NotStarted` before it begins."""
        return str((self._listed() or {}).get("StepStatus", "NotStarted"))

    @property
    def reason(self) -> str:
        """Why it failed; empty where it did not."""
        return str((self._listed() or {}).get("FailureReason", ""))

    @property
    def attempts(self) -> int:
        """How often it was tried; 0 before it begins."""
        return int((self._listed() or {}).get("AttemptCount", 0))

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata, as ListPipelineExecutionSteps has them."""
        found: Mapping[str, Any] = (self._listed() or {}).get("Metadata", {})
        return found

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of a Lambda or Callback step."""
        members = [*self.metadata.get("Lambda", {}).get("OutputParameters", ())]
        members += self.metadata.get("Callback", {}).get("OutputParameters", ())
        return {each["Name"]: each["Value"] for each in members}

    @property
    def outcome(self) -> bool | None:
        """How a Condition step decided; None where it has not."""
        told = self.metadata.get("Condition", {}).get("Outcome")
        return None if told is None else told == "True"

    def succeeded(self) -> "Step":
        """It ends as Succeeded."""
        return self._ended_as("Succeeded")

    def stopped(self) -> "Step":
        """It ends as Stopped."""
        return self._ended_as("Stopped")

    def failed(self, reason: str = "") -> "Step":
        """It ends as Failed, for a reason that has this text."""
        self._ended_as("Failed")
        if reason not in self.reason:
            raise self._complaint(f"expected `{self.name}` to fail with the reason `{reason}`")
        return self

    def skipped(self) -> "Step":
        """The execution ends, and the step has never begun."""
        self._execution.wait()
        if self._listed() is not None:
            raise self._complaint(f"expected `{self.name}` to be skipped, it {self.status}")
        return self

    def ran(self) -> "Step":
        """The execution ends, and the step has begun."""
        self._execution.wait()
        if self._listed() is None:
            raise self._complaint(f"expected `{self.name}` to run, it was skipped")
        return self

    def denied(self, action: str) -> "Step":
        """IAM denied the step the action (`sqs:SendMessage`)."""
        self._execution.wait()
        if not self._observed.is_denied(self._execution.arn, action, self.name):
            raise self._complaint(f"expected {action} to be denied to `{self.name}`, it was not")
        return self

    def waits(self) -> "Step":
        """It waits for the answer to its callback, or to be tried again, or for its job."""
        self._execution.until(lambda: self.status in _RUNNING, f"`{self.name}` did not begin")
        return self

    def approve(self, **outputs: Any) -> Execution:
        """Let its callback succeed with these outputs, as soon as it waits for that."""
        given = [{"Name": name, "Value": _text(value)} for name, value in outputs.items()]
        self._observed.sagemaker.send_pipeline_execution_step_success(
            CallbackToken=self._token(), OutputParameters=given
        )
        return self._execution

    def reject(self, reason: str) -> Execution:
        """Let its callback fail, as soon as it waits."""
        self._observed.sagemaker.send_pipeline_execution_step_failure(
            CallbackToken=self._token(), FailureReason=reason
        )
        return self._execution

    def _token(self) -> str:
        def waits_or_never_will() -> bool:
            return self.status != "NotStarted" or self._execution.status in ENDED

        self._execution.until(waits_or_never_will, f"`{self.name}` did not begin")
        token = self.metadata.get("Callback", {}).get("CallbackToken")
        if token is None or self.status not in _RUNNING:
            raise self._complaint(f"`{self.name}` waits for no callback: it is {self.status}")
        return str(token)

    def _ended_as(self, wanted: str) -> "Step":
        over = ("Succeeded", "Failed", "Stopped")
        self._execution.until(
            lambda: self.status in over or self._execution.status in ENDED, f"`{self.name}` did not end"
        )
        if self.status != wanted:
            raise self._complaint(f"expected `{self.name}` to be {wanted}, it is {self.status}")
        return self

    def _complaint(self, sentence: str) -> AssertionError:
        return AssertionError(f"{sentence}\n{self._execution.report()}")

    def _listed(self) -> dict[str, Any] | None:
        return next((each for each in self._execution.listed() if each["StepName"] == self.name), None)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _line(name: str, begun: Mapping[str, Any] | None) -> str:
    if begun is None:
        return f"  {name:<24} not started"
    attempt = f" (attempt {begun['AttemptCount']})" if begun.get("AttemptCount", 1) > 1 else ""
    line = f"  {name:<24} {begun['StepStatus']}{attempt}"
    if begun.get("StepDescription", "").startswith(STUBBED):
        line += ", stubbed"
    outcome = begun.get("Metadata", {}).get("Condition", {}).get("Outcome")
    if outcome is not None:
        line += f", {outcome}"
    reason = begun.get("FailureReason")
    return f"{line}\n      {reason}" if reason else line


def _advice(begun: Mapping[str, Mapping[str, Any]]) -> list[str]:
    advice: list[str] = []
    for name, step in begun.items():
        if step["StepStatus"] == _WAITING and "CallbackToken" in step.get("Metadata", {}).get("Callback", {}):
            advice.append(
                f"`{name}` waits for an answer: execution.step({name!r}).approve(...) or .reject(...)"
            )
        elif step["StepStatus"] == _WAITING:
            advice.append(
                f"`{name}` is under way, or waits to be tried again: passrole.time.advance(minutes=5)"
            )
        denied = _DENIED.search(step.get("FailureReason", ""))
        if denied:
            advice.append(f"`{name}` may not do that: allow it, as in passrole.role(allow=[{denied[1]!r}])")
    return advice
