"""Jobs that try to reach what is not theirs, and what they leave to be picked up."""

from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tests.eventually import eventually, process_ended
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole.runtimes import processes


def _running(workshop: Workshop, name: str) -> list[int]:
    """The processes of a job that prints `up`: the shell over it, its sandbox, its program."""
    run = next(workshop.server.data.glob(f"jobs/training-job/*/*/{name}/algo-1/run"), None)
    if run is None or not (run / "stdout").exists() or "up" not in (run / "stdout").read_text():
        return []
    return processes.family(int((run / "pid").read_text()))


def test_variables_of_a_request_act_on_its_program_alone(workshop: Workshop) -> None:
    given = {"LD_PRELOAD": "/no/such.so", "MARK": "it's\n$(id)", "PATH": "/usr/bin:/bin:/mine"}
    request = workshop.training('echo "$MARK $PATH"; echo up; sleep 300 & wait', Environment=given)
    name = request["TrainingJobName"]
    workshop.sagemaker.create_training_job(**request)
    outer, *others = eventually(lambda: _running(workshop, name))
    program = processes.program(outer)
    confined = processes.family(program)
    for pid in (outer, *others):
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        assert (b"MARK=" in environment) == (pid in confined), pid
        assert (b"LD_PRELOAD" in environment) == (pid in confined), pid
        assert b"/mine" not in environment or pid in confined
        assert b"SECRET" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    workshop.sagemaker.stop_training_job(TrainingJobName=name)
    workshop.trained(name)
    eventually(lambda: all(map(process_ended, (outer, *others))))
    assert {"it's", "$(id) /usr/bin:/bin:/mine"} <= set(workshop.log("Training", name))


@pytest.mark.parametrize("given", [{"A": "a\0b"}])
def test_a_variable_that_no_program_can_get_fails_the_job(workshop: Workshop, given: dict[str, str]) -> None:
    job = workshop.train("exit 0", Environment=given)
    assert "cannot be given to a program" in job["FailureReason"]


def test_folders_that_became_links_are_not_followed(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secret").write_text("secret")
    (tmp_path / "message").write_text("secret")
    (tmp_path / "failure").write_text("secret")
    swap = f"cd /opt/ml; rm -rf processing output; ln -s {tmp_path} processing; ln -s {tmp_path} output"
    job = workshop.process(swap, {}, {"data": "stolen"})
    assert (job["ProcessingJobStatus"], job.get("ExitMessage")) == ("Failed", None)
    assert workshop.keys("stolen") == []
    trained = workshop.train(f"{swap}; echo m > model/m; exit 1")
    assert "secret" not in trained["FailureReason"]
    assert workshop.keys(f"models/{trained['TrainingJobName']}") == [
        f"models/{trained['TrainingJobName']}/output/model.tar.gz"
    ]


def test_odd_things_in_a_model_folder_are_left_out(workshop: Workshop) -> None:
    script = (
        "cd /opt/ml/model; mkfifo pipe; ln -s /etc/passwd link; mkdir -p deep/er; echo x > deep/er/x;"
        " printf x > \"$(printf 'new\\nline')\"; printf x > \"$(printf 'bad\\377')\""
    )
    job = workshop.train(script)
    assert job["TrainingJobStatus"] == "Completed", job


def test_a_name_that_is_no_key_fails_the_job_in_plain_words(workshop: Workshop) -> None:
    script = "cd /opt/ml/processing/out; printf x > \"$(printf 'bad\\377')\""
    job = workshop.process(script, {}, {"out": "odd"})
    assert job["FailureReason"].startswith("ClientError: "), job


def test_a_daemon_ends_with_its_job(workshop: Workshop) -> None:
    script = "setsid sleep 30 > /dev/null 2>&1 & echo up; sleep 1"
    request = workshop.training(script)
    name = request["TrainingJobName"]
    workshop.sagemaker.create_training_job(**request)
    members = eventually(lambda: _running(workshop, name))
    workshop.trained(name)
    eventually(lambda: all(map(process_ended, members)), seconds=5)


@pytest.mark.parametrize(("prefix", "may_list"), [("nothing/", True), ("listed/", False)])
def test_a_channel_without_objects_is_refused_at_creation(
    workshop: Workshop, prefix: str, may_list: bool
) -> None:
    workshop.put(listed__a="1")
    role = workshop.role if may_list else workshop.server.role()
    request = workshop.training("exit 0", {"train": prefix}, RoleArn=role)
    with pytest.raises(ClientError, match="No S3 objects found under S3 URL") as caught:
        workshop.sagemaker.create_training_job(**request)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert f'role "{role}" has "s3:ListBucket"' in str(caught.value)
    name = request["TrainingJobName"]
    assert not workshop.sagemaker.list_training_jobs(NameContains=name)["TrainingJobSummaries"]


def test_a_job_that_failed_leaves_no_data_on_the_disk(workshop: Workshop) -> None:
    workshop.put(kept__a="1")
    swap = "cd /opt/ml/processing; rm -rf out; ln -s /etc out; echo up"
    job = workshop.process(swap, {"in": "kept/"}, {"out": "gone"})
    assert "is not a folder" in job["FailureReason"]
    home = next(workshop.server.data.glob(f"jobs/processing-job/*/*/{job['ProcessingJobName']}/algo-1"))
    assert home.stat().st_mode & 0o077 == 0
    eventually(lambda: sorted(each.name for each in home.iterdir()) == ["hosts", "run"])
    assert (home / "run" / "stdout").read_text() == "up\n"
