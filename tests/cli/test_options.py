"""A file's name becomes a name that SageMaker takes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passrole.cli.options import pipeline_name


@pytest.mark.parametrize(
    "stem, name",
    [
        ("pipeline", "pipeline"),
        ("my_pipeline.v2", "my-pipeline-v2"),
        ("--odd--", "odd"),
        ("größe", "gr--e"),
        ("___", ""),
        ("x" * 300, "x" * 256),
    ],
)
def test_a_stem_becomes_a_pipelines_name(stem: str, name: str) -> None:
    assert pipeline_name(stem) == name


@settings(max_examples=50)
@given(st.text())
def test_a_name_is_one_that_sagemaker_takes_or_empty(stem: str) -> None:
    name = pipeline_name(stem)
    assert len(name) <= 256
    assert name == "" or (name[0].isalnum() and name[-1].isalnum())
    assert all(each.isascii() and (each.isalnum() or each == "-") for each in name)
