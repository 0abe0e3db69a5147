"""XGBoost's algorithm mode, run as a job runs it, up to what the user has to mend: no wheel is needed."""

import sys
from pathlib import Path

import pytest
from tests.runtimes.programs.training_folder import TrainingFolder, other_python
from tests.runtimes.programs.xgboost_job import CSV, PROGRAM, SMALL, placed, rows, run


@pytest.fixture
def folder(tmp_path: Path) -> TrainingFolder:
    return TrainingFolder(tmp_path / "ml")


def test_a_user_error_is_told_as_the_image_tells_it(folder: TrainingFolder) -> None:
    seen = run(placed(folder, {"max_depth": "5"}, train=rows(3, 1)), "1.7-1", sys.executable)
    assert (seen.exit_code, seen.success) == (1, False)
    assert seen.failure is not None
    assert seen.failure.startswith("framework error: \nTraceback (most recent call last):\n")
    assert seen.failure.endswith(
        "sagemaker_algorithm_toolkit.exceptions.UserError: Missing required hyperparameter: num_round\n"
        "\nMissing required hyperparameter: num_round"
    )
    assert len(seen.failure) < 1024  # of which no more is shown


@pytest.mark.parametrize("tag", ["latest", "1"])
def test_images_of_2018_begin_with_client_error(folder: TrainingFolder, tag: str) -> None:
    seen = run(placed(folder, {}, train=rows(3, 1)), tag, sys.executable)
    assert seen.failure == "ClientError: Missing required hyperparameter: num_round"


@pytest.mark.parametrize(
    "files, says",
    [
        ({"train": ""}, "No data in training channel path /opt/ml/input/data/train"),
        (
            {"train": "1,2\n", "validation": ""},
            "No data in validation channel path /opt/ml/input/data/validation",
        ),
        ({"train": "1\n"}, "Could not determine delimiter on line 1\n:\nCould not determine delimiter"),
        ({"train": "1,2\n", "test": "1,2\n"}, "Extraneous channel found: test"),
        ({"validation": "1,2\n"}, "Missing required channel: train"),
    ],
)
def test_data_that_is_not_there_is_a_user_error(
    folder: TrainingFolder, files: dict[str, str], says: str
) -> None:
    seen = run(placed(folder, **files), "1", sys.executable)
    assert seen.failure == f"ClientError: {says}"


def test_hosts_with_a_part_of_the_data_each_are_refused(folder: TrainingFolder) -> None:
    placed(folder, train=rows(3, 1))
    sharded = {"train": {**CSV, "S3DistributionType": "ShardedByS3Key"}}
    folder.configure(SMALL, {"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]}, sharded)
    seen = run(folder, "1", sys.executable)
    assert seen.failure == (
        "ClientError: Channel train is ShardedByS3Key; several hosts do not train together here"
    )


def test_a_missing_wheel_is_told_with_its_cure(folder: TrainingFolder) -> None:
    placed(folder, train=rows(3, 1))
    command = [sys.executable, "-I", "-S", str(PROGRAM), "--tag", "1"]
    assert folder.run(command).failure == (
        "ClientError: xgboost is not installed in this environment; install it with: pip install xgboost"
    )


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_it_needs_no_more_than_an_old_python(folder: TrainingFolder, version: str) -> None:
    placed(folder, train="1\n")
    seen = run(folder, "1", other_python(version))
    assert seen.failure is not None
    assert seen.failure.startswith("ClientError: Could not determine delimiter")
