"""Why a job fails, in its words."""

import pytest

from passrole.worker.jobs.failures import exited, not_confined


@pytest.mark.parametrize(
    ("code", "printed", "is_sandbox"),
    [
        (1, b"bwrap: Can't mkdir /opt/ml: Read-only file system\n", True),
        (1, b"unshare: unshare failed: Operation not permitted\n", True),
        (1, b"sandbox: No such file or directory: /mnt\n", True),
        (125, b"Error: OCI runtime error: runc: mount failed\n", True),
        (125, b"125\n", False),
        (1, b"bwrap: x\nand a line of a program\n", False),
        (2, b"bwrap: x\n", False),
        (1, b"a program\n", False),
        (1, b"", False),
    ],
)
def test_a_sandbox_that_fails_is_told_apart_from_a_program(
    code: int, printed: bytes, is_sandbox: bool
) -> None:
    reason = not_confined(code, printed)
    assert (reason is not None) == is_sandbox
    assert reason is None or reason.startswith("InternalServerError: ")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (None, "AlgorithmError: , exit code: 1"),
        ("why", "AlgorithmError: why, exit code: 1"),
        ("ClientError: mine", "ClientError: mine"),
    ],
)
def test_a_program_that_fails_is_told_with_its_message(message: str | None, reason: str) -> None:
    assert exited(1, message) == reason
