"""The link at /opt/ml for one job at a time: when it can be made, and who has it."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from passrole.runtimes.sandbox import OUTSIDE, SandboxMissing, World, chosen, ladder
from passrole.runtimes.sandbox.serial import OWN_NAME, Serial


@pytest.fixture
def serial(tmp_path: Path) -> Serial:
    (tmp_path / "opt").mkdir()
    return Serial(tmp_path / "opt" / "ml")


class Starts:
    """Starts shell under the link, and ends it all at the end."""

    def __init__(self, serial: Serial) -> None:
        self._serial = serial
        self._started: list[subprocess.Popen[str]] = []

    def __call__(self, job: Path, script: str) -> "subprocess.Popen[str]":
        job.mkdir(exist_ok=True)
        world = World(work=self._serial.place, writable={self._serial.place: job})
        command = self._serial.command(world, ["/bin/sh", "-c", script], tied=True)
        self._started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=OUTSIDE))
        return self._started[-1]

    def end(self) -> None:
        for each in self._started:
            with each:
                each.kill()


@pytest.fixture
def start(serial: Serial) -> Iterator[Starts]:
    made = Starts(serial)
    yield made
    made.end()


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_a_program_finds_its_folder_and_leaves_no_link(serial: Serial, start: Starts, tmp_path: Path) -> None:
    ran = start(tmp_path / "a", f"pwd -L; echo 1 > {serial.place}/made; exit 7")
    assert ran.communicate(timeout=30)[0] and ran.returncode == 7
    assert (tmp_path / "a" / "made").read_text() == "1\n"
    assert not serial.place.is_symlink()


def test_the_second_waits_and_says_so(serial: Serial, start: Starts, tmp_path: Path) -> None:
    first = start(tmp_path / "a", "echo up; until [ -e go ]; do sleep 0.02; done")
    assert _line(first) == "up\n"
    second = start(tmp_path / "b", "readlink ../opt/ml")
    assert _line(second) == f"passrole: waiting for another job, which has {serial.place}\n"
    assert serial.place.readlink() == tmp_path / "a"
    (tmp_path / "a" / "go").touch()
    assert second.communicate(timeout=30)[0] == f"{tmp_path}/b\n"
    assert first.wait(30) == 0


def test_what_was_killed_keeps_nobody_from_its_turn(serial: Serial, start: Starts, tmp_path: Path) -> None:
    first = start(tmp_path / "a", "echo $$; exec sleep 60")
    program = int(_line(first))
    first.kill()
    os.kill(program, signal.SIGKILL)
    first.wait()
    assert serial.place.is_symlink() and serial.why_not() is None
    second = start(tmp_path / "b", "exit 3")
    assert second.wait(30) == 3


def test_term_reaches_the_program(serial: Serial, start: Starts, tmp_path: Path) -> None:
    ran = start(tmp_path / "a", "trap 'exit 5' TERM; echo up; while :; do sleep 0.02; done")
    assert _line(ran) == "up\n"
    ran.send_signal(signal.SIGTERM)
    assert ran.wait(30) == 5


def test_what_is_there_already_is_not_touched(serial: Serial, start: Starts, tmp_path: Path) -> None:
    serial.place.mkdir()
    assert serial.why_not() == f"`{serial.place}` is there already: move it away"
    assert start(tmp_path / "a", "echo never").wait(30) == 1
    serial.place.rmdir()
    serial.place.symlink_to(tmp_path)
    assert serial.why_not() == f"`{serial.place}` is there already: move it away"
    assert start(tmp_path / "a", "echo never").wait(30) == 1
    assert serial.place.readlink() == tmp_path


def test_a_link_to_a_users_own_link_needs_no_root(serial: Serial, start: Starts, tmp_path: Path) -> None:
    own = tmp_path / OWN_NAME
    serial.place.symlink_to(own)
    assert serial.why_not() is None
    assert start(tmp_path / "a", f"echo 1 > {serial.place}/made").wait(30) == 0
    assert (tmp_path / "a" / "made").exists() and not own.is_symlink() and serial.place.is_symlink()


def test_only_its_name_chooses_it(serial: Serial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "SERIAL", serial)
    monkeypatch.setattr(ladder, "why_not", lambda _: "no")
    assert chosen("serial") == serial and not serial.confines
    with pytest.raises(SandboxMissing):
        chosen("auto")
    serial.place.mkdir()
    with pytest.raises(SandboxMissing, match=r"the sandbox `serial` does not work: .* move it away"):
        chosen("serial")


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_folder_that_cannot_be_written_to_is_told_with_what_to_do(serial: Serial) -> None:
    serial.place.parent.chmod(0o555)
    assert f"sudo ln -s {Path.home()}/{OWN_NAME} {serial.place}" in str(serial.why_not())
