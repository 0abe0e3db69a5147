"""A job of one of our analysers: its folder, its environment, and what it leaves."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.runtimes.programs.training_folder import PROGRAMS, python_of

VARIABLE = "PASSROLE_CHECKS_PYTHON"
"""Names an interpreter that has the packages of the extra `checks`."""

WITH_PANDAS = sys.executable if importlib.util.find_spec("pandas") else python_of(VARIABLE)
WITH_ALL = python_of(VARIABLE) or (sys.executable if importlib.util.find_spec("smclarify") else None)

WITH_SHAP = (
    WITH_ALL if WITH_ALL and [*Path(WITH_ALL).parents[1].glob("lib/python3*/site-packages/shap")] else None
)


@dataclass(frozen=True)
class Ended:
    """A job that is over."""

    exit_code: int
    message: str
    printed: str
    results: Mapping[str, Any]

    @property
    def violations(self) -> list[dict[str, str]]:
        return list(self.results["constraint_violations.json"]["violations"])


class AnalyserJob:
    """Below a folder that stands for /opt/ml."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.output = base / "processing/output"

    def put(self, path: str, body: str | bytes | Any) -> Path:
        """A file below processing/; what is neither text nor bytes as JSON."""
        place = self.base / "processing" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        content = body if isinstance(body, str | bytes) else json.dumps(body)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    def quality(self, dataset: str | bytes, form: Any = None, **variables: str) -> Ended:
        """Check a dataset; CSV with a header, unless another format is given."""
        self.put("input/data/d", dataset)
        given = {
            "dataset_source": str(self.base / "processing/input/data"),
            "dataset_format": json.dumps({"csv": {"header": True}} if form is None else form),
            "output_path": str(self.output),
            **variables,
        }
        return self.run("model_monitor.py", WITH_PANDAS, given)

    def bias(self, dataset: str, config: Any, **variables: str) -> Ended:
        self.put("input/data/d", dataset)
        self.put("input/config/analysis_config.json", config)
        return self.run("clarify.py", WITH_ALL or WITH_PANDAS, variables)

    def started(self, dataset: str, config: Any, **variables: str) -> subprocess.Popen[str]:
        """An analysis of bias that runs, and prints line by line."""
        self.put("input/data/d", dataset)
        self.put("input/config/analysis_config.json", config)
        environment = {"PATH": os.environ["PATH"], "SAGEMAKER_BASE_DIR": str(self.base), **variables}
        command = [str(WITH_ALL), str(PROGRAMS / "clarify.py")]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def run(self, program: str, python: str | None, variables: Mapping[str, str]) -> Ended:
        environment = {"PATH": os.environ["PATH"], "SAGEMAKER_BASE_DIR": str(self.base), **variables}
        ran = subprocess.run(
            [str(python), str(PROGRAMS / program)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        message = self.base / "output/message"
        results = {path.name: json.loads(path.read_text()) for path in self.output.glob("*.json")}
        said = message.read_text() if message.exists() else ""
        return Ended(ran.returncode, said, ran.stdout + ran.stderr, results)
