"""Whether an environment has the framework that an image is named after."""

from pathlib import Path

import pytest

from passrole.runtimes import frameworks

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """With scikit-learn 1.5.2, and torch in a folder that a .pth file adds."""
    place = tmp_path / "env"
    packages, added = place / "lib/python3.11/site-packages", tmp_path / "added"
    for folder, name, version in ((packages, "scikit_learn", "1.5.2"), (added, "torch", "2.0.1+cpu")):
        info = folder / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
        )
    (packages / "more.pth").write_text(f"import site\n{added}\n/not/there\n")
    return place


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ("sagemaker-scikit-learn:1.2-1-cpu-py3", "scikit-learn is 1.2 in the image and 1.5.2 in {}"),
        ("sagemaker-scikit-learn:1.5-1-cpu-py3", None),
        ("sagemaker-scikit-learn:1-1", None),
        ("sagemaker-scikit-learn:1.5.3", "scikit-learn is 1.5.3 in the image and 1.5.2 in {}"),
        ("sagemaker-scikit-learn:latest", None),
        ("sagemaker-scikit-learn", None),
        ("pytorch-training:2.0-cpu-py310", None),
        ("pytorch-training:1.13.1-cpu-py39", "torch is 1.13.1 in the image and 2.0.1+cpu in {}"),
        ("sagemaker-xgboost:1.7-1", "xgboost is not installed in {}"),
        ("mine:3", None),
    ],
)
def test_another_version_is_told(environment: Path, image: str, told: str | None) -> None:
    found = frameworks.difference(f"{REGISTRY}/{image}", environment)
    assert found == (told and told.format(environment))


def test_what_is_missing_need_not_be_told(environment: Path) -> None:
    assert frameworks.difference("sagemaker-xgboost:1.7-1", environment, tells_missing=False) is None
    assert frameworks.difference("sagemaker-scikit-learn:1.2-1", environment, tells_missing=False)
