"""What runs for a job, or why nothing can."""

from pathlib import Path
from typing import Any

import pytest

from passrole.arns import Account, Region
from passrole.config import Config, ImageRules
from passrole.runtimes.interface import Credentials
from passrole.runtimes.ml.environment import Access
from passrole.services.sagemaker.jobs.kinds import PROCESSING, TRAINING, JobKind
from passrole.services.sagemaker.jobs.records import Job
from passrole.worker.jobs import programs
from passrole.worker.jobs.contracts import contract_of
from passrole.worker.jobs.failures import JobFailed

ACCESS = Access("us-east-1", "http://127.0.0.1:1", Credentials("k", "s", "t", 1.0))
PROCESSING_REQUEST = {"AppSpecification": {"ImageUri": "x/mine:1"}}
TRAINING_REQUEST = {"AlgorithmSpecification": {"TrainingImage": "x/mine:1", "ContainerEntrypoint": []}}


def _program(tmp_path: Path, kind: JobKind, request: dict[str, Any], images: str) -> programs.Program:
    config = Config(data=tmp_path, images=ImageRules(images))
    job = Job("a", Account("111122223333"), Region("us-east-1"), "arn", "role", request, 1.0, 1.0)
    workload = contract_of(kind).workload(job, 0)
    return programs.program(workload, programs.Instance("algo-1", 0, tmp_path), config, ACCESS)


def test_an_environment_alone_is_no_program(tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match="names no program"):
        _program(tmp_path, PROCESSING, PROCESSING_REQUEST, "*/mine:*=python:/env")


@pytest.mark.parametrize(
    ("kind", "request_", "command"),
    [
        (PROCESSING, PROCESSING_REQUEST, ["/bin/sh"]),
        (TRAINING, TRAINING_REQUEST, ["/bin/sh", "train"]),
    ],
)
def test_a_command_of_the_settings_is_one(
    tmp_path: Path, kind: JobKind, request_: dict[str, Any], command: list[str]
) -> None:
    found = _program(tmp_path, kind, request_, "*/mine:*=command:/bin/sh")
    assert list(found.command) == command
