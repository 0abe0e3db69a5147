"""What is easily got wrong about a job's world and its artefacts, and has no test elsewhere."""

from tests.services.sagemaker.jobs.workshop import Workshop


def test_the_folder_of_inputs_can_be_written_to(workshop: Workshop) -> None:
    """ModelTrainer and @step write /opt/ml/input/sm_training.env."""
    workshop.put(written__a="1")
    script = "cd /opt/ml/input; echo A=1 > sm_training.env; . ./sm_training.env; echo $A; ls data/train"
    job = workshop.train(script, {"train": "written/"})
    assert workshop.log("Training", job["TrainingJobName"]) == ["1", "a"]


def test_what_the_machine_has_in_opt_and_the_jobs_python_are_seen(workshop: Workshop) -> None:
    job = workshop.process("ls /opt; python -c 'import botocore; print(botocore.__name__)'; pwd")
    log = workshop.log("Processing", job["ProcessingJobName"])
    assert "ml" in log
    assert log[-2:] == ["botocore", "/opt/ml"]


def test_artefacts_without_compression_are_files(workshop: Workshop) -> None:
    output = {"S3OutputPath": f"s3://{workshop.bucket}/plain/", "CompressionType": "NONE"}
    job = workshop.train("cd /opt/ml/model; mkdir d; echo 1 > d/a; echo 2 > b", OutputDataConfig=output)
    where = f"plain/{job['TrainingJobName']}/output/model/"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{workshop.bucket}/{where}"
    assert workshop.keys("plain") == [f"{where}b", f"{where}d/a"]
