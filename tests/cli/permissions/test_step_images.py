"""`passrole check` tells how the images of jobs and models are run on this machine."""

import json
from pathlib import Path

import pytest
from tests.cli.permissions.test_check import Write, check


def test_how_the_images_of_jobs_are_run_is_told(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "env/lib/python3.11/site-packages/scikit_learn-1.5.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: scikit-learn\nVersion: 1.5.2\n")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "env"))
    monkeypatch.setenv("PASSROLE_CONTAINERS", "none")
    monkeypatch.setenv("PASSROLE_IMAGES", "*/mine:*=command:Rscript")
    sklearn = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
    training = {"AlgorithmSpecification": {"TrainingImage": sklearn}}
    steps = [
        {
            "Name": "A",
            "Type": "Training",
            "Arguments": {**training, "HyperParameters": {"sagemaker_program": "x"}},
        },
        {
            "Name": "B",
            "Type": "Training",
            "Arguments": {"AlgorithmSpecification": {"TrainingImage": "kmeans:1"}},
        },
        {"Name": "C", "Type": "Processing", "Arguments": {"AppSpecification": {"ImageUri": "x/mine:1"}}},
        {
            "Name": "D",
            "Type": "Processing",
            "Arguments": {"AppSpecification": {"ImageUri": {"Get": "Parameters.Image"}}},
        },
        {"Name": "E", "Type": "Processing", "Arguments": {}},
    ]
    parameters = [{"Name": "Image", "Type": "String"}]
    file = write("p.json", {"Version": "2020-12-01", "Parameters": parameters, "Steps": steps})
    found = json.loads(check(file, "--managed-version", "v3", "--format", "json").stdout)["images"]
    assert [(each["step"], each["form"]) for each in found] == [
        ("A", "script"),
        ("B", None),
        ("C", "command"),
        ("D", None),
        ("E", None),
    ]
    assert found[0]["difference"] == f"scikit-learn is 1.2 in the image and 1.5.2 in {tmp_path / 'env'}"
    assert found[1]["runs"].startswith("cannot run: the image kmeans:1 has a program of its own")
    text = check(file, "--managed-version", "v3", "-p", "Image=x/mine:2").stdout
    assert (
        f"  A: {sklearn}\n           script mode, in {tmp_path / 'env'}\n           differs: scikit" in text
    )
    assert "  D: x/mine:2\n           Rscript\n" in text


def test_how_models_and_tuning_jobs_are_run_is_told(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSROLE_CONTAINERS", "none")
    monkeypatch.setenv("PASSROLE_IMAGES", "*/mine:*=command:serve")
    sklearn, xgboost = (
        f"1.dkr.ecr.us-east-1.amazonaws.com/sagemaker-{name}:1" for name in ("scikit-learn", "xgboost")
    )
    isolated = {"PrimaryContainer": {"Image": "x/mine:1"}, "EnableNetworkIsolation": True}
    tried = [
        {
            "AlgorithmSpecification": {"TrainingImage": image},
            "StaticHyperParameters": {"sagemaker_program": "x"} if image == sklearn else {},
        }
        for image in (sklearn, xgboost)
    ]
    arguments = {
        "Tune": ("Tuning", {"TrainingJobDefinitions": tried}),
        "One": ("Tuning", {"TrainingJobDefinition": tried[0]}),
        "Chain": ("Model", {"Containers": [{"Image": sklearn}, {"Image": xgboost}]}),
        "Alone": ("Model", isolated),
        "Many": ("Transform", {"ModelName": {"Get": "Steps.Chain.ModelName"}}),
        "Others": ("Transform", {"ModelName": "made elsewhere"}),
    }
    steps = [{"Name": name, "Type": type_, "Arguments": given} for name, (type_, given) in arguments.items()]
    file = write("p.json", {"Version": "2020-12-01", "Steps": steps})
    found = json.loads(check(file, "--managed-version", "v3", "--format", "json").stdout)["images"]
    served = [(sklearn, "serving script"), (xgboost, "serving xgboost")]
    assert [(each["step"], each["image"], each["form"]) for each in found] == [
        ("Tune", sklearn, "script"),
        ("Tune", xgboost, "xgboost"),
        ("One", sklearn, "script"),
        *(("Chain", *each) for each in served),
        ("Alone", "x/mine:1", None),
        *(("Many", *each) for each in served),
        ("Others", "*", None),
    ]
    assert "EnableNetworkIsolation" in found[5]["runs"]


def test_what_the_sdk_s_own_programs_lack_is_told(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSROLE_JOB_PYTHON", str(tmp_path / "env"))
    driver = "/opt/ml/input/data/sagemaker_remote_function_bootstrap/job_driver.sh"
    entrypoints = {"F": ["/bin/bash", driver], "N": ["amazon_sagemaker_scheduler"]}
    steps = [
        {
            "Name": name,
            "Type": "Training",
            "Arguments": {"AlgorithmSpecification": {"TrainingImage": "x/y:1", "ContainerEntrypoint": words}},
        }
        for name, words in entrypoints.items()
    ]
    file = write("p.json", {"Version": "2020-12-01", "Steps": steps})
    found = json.loads(check(file, "--managed-version", "v3", "--format", "json").stdout)["images"]
    assert [(each["step"], each["form"]) for each in found] == [("F", "function"), ("N", "notebook")]
    assert found[0]["difference"] == f"sagemaker not found in {tmp_path / 'env'}: install it there"
    assert found[1]["difference"].startswith(f"papermill and ipykernel not found in {tmp_path / 'env'}: `pip")
