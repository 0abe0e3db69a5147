"""The quality of data and of a model: what the environment asks for, into the output folder.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-inputs.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .data_drift import violations as drifted
from .data_quality import analysed as data_analysed
from .datasets import by_format
from .model_quality import analysed as model_analysed
from .model_quality import violations as worsened
from .results import CONSTRAINTS, STATISTICS, VIOLATIONS, Refused, finished, read, say, write

_SCRIPTS = ("record_preprocessor_script", "post_analytics_processor_script")


def main() -> int:
    """Analyse; the exit code."""
    return finished(lambda: analyse(dict(os.environ)))


def analyse(given: Mapping[str, str]) -> int:
    """The number of violations, with the variables of an environment. Raises Refused."""
    for script in _SCRIPTS:
        if given.get(script):
            raise Refused(f"The {script} of a check is run by AWS's own image only")
    frame = by_format(Path(given["dataset_source"]), _format(given))
    if frame.empty:
        raise Refused("The dataset has no row")
    say(f"the dataset has {len(frame)} rows and {len(frame.columns)} columns")
    of_model = "problem_type" in given
    made = model_analysed(frame, given) if of_model else data_analysed(frame)
    statistics, constraints = made
    output = Path(given["output_path"])
    write(output, STATISTICS, statistics)
    write(output, CONSTRAINTS, constraints)
    if "baseline_constraints" not in given:
        return 0
    earlier = read(given["baseline_constraints"])
    if of_model:
        violations = worsened(statistics, earlier)
    else:
        known = read(given["baseline_statistics"]) if "baseline_statistics" in given else {}
        violations = drifted(frame, statistics, earlier, known)
    if violations:
        write(output, VIOLATIONS, {"violations": violations})
    return len(violations)


def _format(given: Mapping[str, str]) -> dict[str, Any]:
    try:
        form = json.loads(given.get("dataset_format") or "{}")
    except ValueError:
        form = None
    if not isinstance(form, dict):
        raise Refused("The dataset_format is not a JSON object")
    return form
