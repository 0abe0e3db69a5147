"""The page of step types is what the code says, and no type that AWS or its SDK knows is unknown here."""

import json
import runpy
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from botocore.session import Session

from passrole.definition.kinds import KINDS, KNOWN_BUT_UNSUPPORTED

DOCS = Path(__file__).parents[2] / "docs"
KNOWN = set(KINDS) | KNOWN_BUT_UNSUPPORTED
# The metadata of a step is named as its type, but for these.
TYPES = {
    "TrainingJob": "Training",
    "ProcessingJob": "Processing",
    "TransformJob": "Transform",
    "TuningJob": "Tuning",
    "AutoMLJob": "AutoML",
}
SDK = """
import json
try:
    from sagemaker.workflow.steps import StepTypeEnum
except ImportError:
    from sagemaker.mlops.workflow.steps import StepTypeEnum
print(json.dumps([each.value for each in StepTypeEnum]))
"""


def test_every_type_that_botocore_knows_runs_or_is_refused_by_name() -> None:
    shape = Session().get_service_model("sagemaker").shape_for("PipelineExecutionStepMetadata")
    types = {TYPES.get(member, member) for member in shape.members}  # type: ignore[attr-defined]
    assert types - KNOWN == set()


@pytest.mark.slow
@pytest.mark.skipif(not list(metadata.distributions(name="sagemaker")), reason="the SDK is not installed")
def test_every_type_that_the_sdk_emits_runs_or_is_refused_by_name() -> None:
    done = subprocess.run([sys.executable, "-c", SDK], capture_output=True, text=True, check=True)
    types = set(json.loads(done.stdout.splitlines()[-1]))
    assert "RegisterModel" in types
    assert types - KNOWN == set()


def test_the_page_is_what_the_code_says_now() -> None:
    generator = runpy.run_path(str(DOCS / "generate_step_types.py"))
    assert generator["page"]() == generator["PAGE"].read_text(), "run `make docs`"


def test_every_type_that_does_not_run_has_its_reason() -> None:
    generator = runpy.run_path(str(DOCS / "generate_step_types.py"))
    assert set(generator["WHY_NOT"]) == KNOWN_BUT_UNSUPPORTED
    assert set(generator["DIFFERS"]) == set(KINDS)
