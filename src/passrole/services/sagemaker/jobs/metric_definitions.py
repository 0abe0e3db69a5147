"""The metrics that a training job prints: names and regular expressions, checked at creation and compiled.

The expressions are the user's. RE2 runs them, whose time grows with the text alone, and only those whose
program is small; no other module compiles text from outside (docs/decisions/0009-re2.md).
https://docs.aws.amazon.com/sagemaker/latest/dg/training-metrics.html
"""

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import re2

from passrole.faults import Fault
from passrole.runtimes import image_names, images

METRICS_MAX = 40
"""Of FinalMetricDataList: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html"""

_PROGRAM_BYTES_MAX = 256 * 1024
"""What RE2 may spend on one expression. It bounds the slowest search, which costs this times the text."""

_TAB = b"#011"
"""How a tab is written by AWS's built-in images, and in its guide: `#011train-auc:(\\S+)`."""

_XGBOOST_METRICS = (
    *("accuracy", "auc", "aucpr", "error", "f1", "gamma-deviance", "gamma-nloglik", "logloss", "mae", "map"),
    *("merror", "mlogloss", "mse", "ndcg", "poisson-nloglik", "rmse", "tweedie-nloglik"),
)
_NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"


class Metric(NamedTuple):
    """A name, and what finds its value in a line."""

    name: str
    pattern: Any

    def value(self, line: bytes) -> float | None:
        """The number that the first group has found; None for any other text.

        AWS's value is a float of 32 bits: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_MetricData.html
        """
        found = self.pattern.search(line)
        if found is None and b"\t" in line:
            found = self.pattern.search(line.replace(b"\t", _TAB))
        if found is None or not self.pattern.groups or found.group(1) is None:
            return None
        try:
            (value,) = struct.unpack("f", struct.pack("f", float(found.group(1).partition(_TAB)[0])))
        except (ValueError, OverflowError):
            return None
        return float(value) if math.isfinite(value) else None


def described(specification: Mapping[str, Any]) -> dict[str, Any]:
    """AlgorithmSpecification as AWS describes it: with the metrics that the image implies.

    As DescribeTrainingJob returns them: https://github.com/aws/sagemaker-xgboost-container/issues/121
    """
    given = list(specification.get("MetricDefinitions") or ())
    names = {each["Name"] for each in given}
    whole = given + [each for each in _implied(specification) if each["Name"] not in names]
    return {**specification, **({"MetricDefinitions": whole[:METRICS_MAX]} if whole else {})}


def metrics(specification: Mapping[str, Any]) -> list[Metric]:
    """The metrics to look for. Raises Fault (ValidationException) for an expression that RE2 refuses."""
    definitions: Sequence[Mapping[str, str]] = described(specification).get("MetricDefinitions", ())
    return [
        Metric(each["Name"], _compiled(each["Regex"], number)) for number, each in enumerate(definitions, 1)
    ]


def _implied(specification: Mapping[str, Any]) -> list[dict[str, str]]:
    if image_names.repository(specification.get("TrainingImage") or "") != images.XGBOOST:
        return []
    return [
        {"Name": f"{channel}:{name}", "Regex": rf".*\[[0-9]+\].*#011{channel}-{name}:{_NUMBER}.*"}
        for channel in ("train", "validation")
        for name in _XGBOOST_METRICS
    ]


def _compiled(expression: str, number: int) -> Any:
    options = re2.Options()
    options.max_mem = _PROGRAM_BYTES_MAX
    options.log_errors = False
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        raise _refused(expression, number, error) from None
    except UnicodeEncodeError as error:  # half of a character
        raise _refused("", number, error) from None


def _refused(expression: str, number: int, error: Exception) -> Fault:
    reason = error.args[0]
    why = reason.decode(errors="replace") if isinstance(reason, bytes) else "it is not text"
    return Fault(
        "ValidationException",
        f"1 validation error detected: Value '{expression}' at "
        f"'algorithmSpecification.metricDefinitions.{number}.member.regex' failed to satisfy constraint: "
        f"Member must be a regular expression that RE2 can run: {why}",
    )
