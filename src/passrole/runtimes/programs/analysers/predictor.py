"""Asks a model: by an endpoint that is there, or by one that is made for the analysis and deleted behind it.

AWS calls the second a shadow endpoint. Each call is made with the credentials of the job's role. Names begin
as AWS's do: `sm-clarify-config-` and `sm-clarify-`.
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-configure-how-it-works.html
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Callable, List

from .payloads import Payloads, Prediction, Row
from .results import Refused, base, say, wheel

ROWS_MAX, BYTES_MAX = 1000, 5 * 1024 * 1024
"""The most that one request carries: SageMaker takes 6 MB."""

NAME_MAX = 63
PREFIX = "sm-clarify"
TAG = "sagemaker:clarify-processing-job"
DELETION_SECONDS_MAX = 90
"""How long an endpoint is tried to be deleted: a job that is stopped has 120 seconds."""

Ask = Callable[[Sequence[Row]], List[Prediction]]


@contextmanager
def asking(predictor: Mapping[str, Any], payloads: Payloads) -> Iterator[Ask]:
    """What asks the model of the analysis, as long as its endpoint is there. Raises Refused."""
    there, model = predictor.get("endpoint_name"), predictor.get("model_name") or os.environ.get("model_name")  # noqa: SIM112
    if not there and not model:
        raise Refused("The predictor of the analysis has neither a model_name nor an endpoint_name")
    errors = wheel("botocore.exceptions")
    session = wheel("botocore.session").get_session()
    try:
        sagemaker = session.create_client("sagemaker")
        found = _found(sagemaker, str(there)) if there else _shadow(sagemaker, str(model), predictor, errors)
        with found as name:
            runtime = session.create_client("sagemaker-runtime")
            yield _Asking(runtime, name, predictor, payloads, errors).ask
    except errors.ClientError as error:
        raise Refused(str(error)) from None
    except errors.BotoCoreError as error:
        told = "a job with network isolation cannot, and none without AWS credentials"
        raise Refused(f"Could not connect to SageMaker ({told}): {error}") from None


class _Asking:
    def __init__(
        self, runtime: Any, endpoint: str, predictor: Mapping[str, Any], payloads: Payloads, errors: Any
    ) -> None:
        self._runtime, self._payloads, self._errors = runtime, payloads, errors
        own = {
            "CustomAttributes": predictor.get("custom_attributes"),
            "TargetModel": predictor.get("target_model"),
        }
        self._given = {"EndpointName": endpoint, **{name: value for name, value in own.items() if value}}

    def ask(self, rows: Sequence[Row]) -> list[Prediction]:
        """A prediction for each row."""
        found: list[Prediction] = []
        size = 1 if self._payloads.takes_one else ROWS_MAX
        for first in range(0, len(rows), size):
            found += self._asked(rows[first : first + size])
        return found

    def _asked(self, rows: Sequence[Row]) -> list[Prediction]:
        """In halves where the request is too great, one by one where the model bears no more."""
        body, half = self._payloads.encoded(rows), len(rows) // 2
        if len(body) > BYTES_MAX and half:
            return self._asked(rows[:half]) + self._asked(rows[half:])
        try:
            return self._payloads.decoded(self._answer(body), len(rows))
        except self._errors.ClientError as error:
            if error.response["Error"]["Code"] != "ModelError" or len(rows) == 1:
                raise
            say("Fallback to per-record prediction because of model error.")
            return [each for row in rows for each in self._asked([row])]

    def _answer(self, body: bytes) -> bytes:
        forms = {"ContentType": self._payloads.content_type, "Accept": self._payloads.accept_type}
        answer: bytes = self._runtime.invoke_endpoint(Body=body, **forms, **self._given)["Body"].read()
        return answer


@contextmanager
def _found(sagemaker: Any, name: str) -> Iterator[str]:
    """The name of an endpoint that is there already, and in service."""
    status = sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
    if status != "InService":
        raise Refused(f"The endpoint {name} is not in service: it is {status}")
    yield name


@contextmanager
def _shadow(sagemaker: Any, model: str, predictor: Mapping[str, Any], errors: Any) -> Iterator[str]:
    """The name of an endpoint that is there for the body alone, and in service."""
    prefix, tags = str(predictor.get("endpoint_name_prefix") or PREFIX), [{"Key": TAG, "Value": _job()}]
    config, name = _unique(f"{prefix}-config"), _unique(f"{prefix}-{model}")
    say(f"creating the shadow endpoint {name} of the model {model}")
    with ExitStack() as behind:
        behind.enter_context(_signalled())
        with _undisturbed():
            variants = [_variant(predictor, model)]
            sagemaker.create_endpoint_config(
                EndpointConfigName=config, ProductionVariants=variants, Tags=tags
            )
            behind.callback(_delete, "configuration", config, sagemaker.delete_endpoint_config, errors)
        with _undisturbed():
            sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, Tags=tags)
            behind.callback(_delete, "endpoint", name, sagemaker.delete_endpoint, errors)
        _wait(sagemaker, name)
        yield name


def _variant(predictor: Mapping[str, Any], model: str) -> dict[str, Any]:
    given = {
        "VariantName": "AllTraffic",
        "ModelName": model,
        "InitialInstanceCount": predictor.get("initial_instance_count") or 1,
        "InstanceType": predictor.get("instance_type"),
        "AcceleratorType": predictor.get("accelerator_type"),
        "InitialVariantWeight": 1,
    }
    return {name: value for name, value in given.items() if value is not None}


def _wait(sagemaker: Any, name: str) -> None:
    while True:
        described = sagemaker.describe_endpoint(EndpointName=name)
        status = described["EndpointStatus"]
        if status == "InService":
            return say("the shadow endpoint is in service")
        if status != "Creating":
            raise Refused(
                f"The shadow endpoint is {status}: {described.get('FailureReason', 'no reason is told')}"
            )
        time.sleep(0.5)


def _delete(what: str, name: str, delete: Callable[..., Any], errors: Any) -> None:
    """An endpoint in progress can be deleted only when it is no more. Where that is refused, it is left."""
    until, member = time.monotonic() + DELETION_SECONDS_MAX, _MEMBERS[what]
    while True:
        try:
            delete(**{member: name})
            return say(f"deleted the shadow {what} {name}")
        except (errors.ClientError, errors.BotoCoreError) as error:
            if "in-progress" not in str(error) or time.monotonic() > until:
                return say(f"the shadow {what} {name} is left, delete it yourself: {error}")
        time.sleep(0.5)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """TERM waits until the body has ended: what a call creates is known then."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


@contextmanager
def _signalled() -> Iterator[None]:
    """TERM, which a job that is stopped gets, ends the body by an exception."""

    def end(number: int, _frame: Any) -> None:
        # Not by `say`: the signal may come within a line, and a buffered stream takes no second one then.
        os.write(sys.stdout.fileno(), f"Signal {number} received, cleaning up\n".encode())
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _unique(start: str) -> str:
    """As the SDK makes names: the time in seconds and four digits behind what has place."""
    end = f"-{int(time.time())}-{secrets.token_hex(2)}"
    return start[: NAME_MAX - len(end)].rstrip("-") + end


def _job() -> str:
    """The name of the job, which its configuration tells."""
    with suppress(OSError, ValueError):
        told = json.loads((base() / "config/processingjobconfig.json").read_text(encoding="utf-8"))
        return str(told["ProcessingJobArn"]).rpartition("/")[2]
    return "unknown"


_MEMBERS = {"configuration": "EndpointConfigName", "endpoint": "EndpointName"}
