"""/opt/ml of a job, by tables."""

import json
from pathlib import Path
from typing import Any

import pytest

from passrole.runtimes.ml import folder
from passrole.runtimes.ml.folder import OutsideOfMl
from passrole.runtimes.ml.hosts import Hosts

HOSTS = Hosts(2, "ml.m5.xlarge")


def _read(made: folder.Folder, name: str) -> Any:
    return json.loads(made.files[name])


def test_a_training_job_finds_its_hyperparameters_as_flat_strings() -> None:
    given = {"epochs": "10", "name": '"a\\nb"', "sagemaker_program": '"train.py"'}
    made = folder.training({"HyperParameters": given}, HOSTS, "algo-2")
    assert _read(made, "input/config/hyperparameters.json") == given


def test_a_channel_says_only_what_has_a_value() -> None:
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/x"}}
    sharded = {"S3DataSource": {**source["S3DataSource"], "S3DataDistributionType": "ShardedByS3Key"}}
    made = folder.training(
        {
            "InputDataConfig": [
                {"ChannelName": "train", "DataSource": source, "ContentType": "text/csv"},
                {"ChannelName": "test", "DataSource": sharded, "InputMode": "FastFile"},
            ]
        },
        HOSTS,
        "algo-1",
    )
    assert _read(made, "input/config/inputdataconfig.json") == {
        "train": {
            "ContentType": "text/csv",
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
        },
        "test": {"TrainingInputMode": "FastFile", "S3DistributionType": "ShardedByS3Key"},
    }
    assert {"input/data/train", "input/data/test", "model", "output/data"} <= set(made.folders)


def test_each_host_knows_itself_and_the_others() -> None:
    made = folder.training({}, HOSTS, "algo-2")
    assert _read(made, "input/config/resourceconfig.json") == {
        "current_host": "algo-2",
        "current_instance_type": "ml.m5.xlarge",
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1", "algo-2"],
        "instance_groups": [
            {
                "instance_group_name": "homogeneousCluster",
                "instance_type": "ml.m5.xlarge",
                "hosts": ["algo-1", "algo-2"],
            }
        ],
        "network_interface_name": "lo",
    }
    made = folder.processing({}, HOSTS, "algo-1")
    assert _read(made, "config/resourceconfig.json") == {
        "current_host": "algo-1",
        "hosts": ["algo-1", "algo-2"],
    }


def test_checkpoints_have_a_folder_where_the_request_says() -> None:
    made = folder.training({"CheckpointConfig": {"S3Uri": "s3://b/c"}}, HOSTS, "algo-1")
    assert _read(made, "input/config/checkpointconfig.json") == {
        "LocalPath": "/opt/ml/checkpoints",
        "S3Uri": "s3://b/c",
    }
    assert "checkpoints" in made.folders


def test_a_processing_job_finds_every_local_path_the_outer_first(tmp_path: Path) -> None:
    description = {
        "ProcessingJobName": "j",
        "ProcessingInputs": [
            {"S3Input": {"LocalPath": "/opt/ml/processing/input/code"}},
            {"S3Input": {"LocalPath": "/opt/ml/processing/input/"}},
            {"DatasetDefinition": {}},
        ],
        "ProcessingOutputConfig": {"Outputs": [{"S3Output": {"LocalPath": "/opt/ml/processing/out/a"}}]},
    }
    made = folder.processing(description, HOSTS, "algo-1")
    folder.lay_out(made, tmp_path)
    assert (tmp_path / "processing/out/a").is_dir()
    assert json.loads((tmp_path / "config/processingjobconfig.json").read_text()) == description
    paths = list(folder.local_paths(description))
    assert paths.index("/opt/ml/processing/input/") < paths.index("/opt/ml/processing/input/code")


@pytest.mark.parametrize(
    "path",
    ["/etc", "/opt/ml", "/opt/ml/", "/opt/ml/../x", "/opt/ml/processing/../../x", "relative", "/opt/mlx", ""],
)
def test_a_path_that_leads_out_is_refused(path: str) -> None:
    with pytest.raises(OutsideOfMl):
        folder.below_ml(path)


@pytest.mark.parametrize("name", [".", "..", "a/b"])
def test_a_channel_that_leads_out_is_refused(name: str) -> None:
    with pytest.raises(OutsideOfMl):
        folder.training({"InputDataConfig": [{"ChannelName": name}]}, HOSTS, "algo-1")
