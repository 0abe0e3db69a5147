"""Pipelines as public notebooks write them, with version 2 of the SDK, from the first cell to the last.

Their forms are those of https://github.com/aws/amazon-sagemaker-examples; words, code and data are our own.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.journeys.test_sdk import _IS_VERSION_3

NOTEBOOKS = Path(__file__).with_name("sdk") / "notebooks"
WITH_SPARK = {"spark_features"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("sandboxed"),
    pytest.mark.skipif(_IS_VERSION_3, reason="they are of version 2"),
]


@pytest.mark.parametrize("name", sorted(path.stem for path in NOTEBOOKS.glob("*.py") if path.stem != "parts"))
def test_a_notebook_runs_to_its_end(
    run_notebook: Callable[[str], None], name: str, request: pytest.FixtureRequest
) -> None:
    if name in WITH_SPARK:
        request.getfixturevalue("spark")
    run_notebook(f"sdk/notebooks/{name}.py")
