"""What a program can and cannot do in each kind of sandbox that this machine has."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tests.eventually import eventually

from passrole.runtimes import processes
from passrole.runtimes.sandbox import (
    OUTSIDE,
    Sandbox,
    SandboxMissing,
    World,
    chosen,
    confined,
    exported,
    ladder,
)

ML = Path("/opt/ml")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SECRET = "the server's own"


@dataclass(frozen=True)
class Place:
    """A job's folder beside a data folder with a secret, and a way to run programs for the job."""

    sandbox: Sandbox
    data: Path
    job: Path
    environment: Mapping[str, str] = field(default_factory=lambda: {"PATH": PATH})

    @property
    def world(self) -> World:
        return World(work=ML, writable={ML: self.job}, hidden=(self.data,), hostname="algo-1")

    def start(
        self, script: str, world: World | None = None, *, tied: bool = True
    ) -> "subprocess.Popen[bytes]":
        command = self.sandbox.command(world or self.world, ["/bin/sh", "-c", script], tied=tied)
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(self.environment)
        )

    def run(self, script: str, world: World | None = None) -> tuple[int, str]:
        process = self.start(script, world)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output.decode()


@pytest.fixture(params=["bubblewrap", "unshare", "container"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    try:
        sandbox = chosen(request.param)
    except SandboxMissing as error:
        pytest.skip(str(error))
    data, job = tmp_path / "data", tmp_path / "data" / "jobs" / "j-1"
    (data / "jobs" / "j-2").mkdir(parents=True)
    job.mkdir()
    for folder in (data, data / "jobs" / "j-2"):
        (folder / "secret").write_text(SECRET)
    yield Place(sandbox, data, job)


def test_it_sees_its_own_folder_and_what_it_writes_stays(place: Place) -> None:
    (place.job / "there").write_text("before")
    assert place.run("cat there; echo after > made; pwd") == (0, "before/opt/ml\n")
    assert (place.job / "made").read_text() == "after\n"


@pytest.mark.parametrize("path", ["secret", "jobs/j-2/secret"])
def test_the_data_folder_and_other_jobs_are_not_there(place: Place, path: str) -> None:
    code, output = place.run(f"cat '{place.data / path}'")
    assert code == 1
    assert SECRET not in output


def test_no_process_outside_is_seen_and_no_environment_but_its_own(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_SERVER", "hidden")
    code, output = place.run("cat /proc/[0-9]*/environ | tr '\\0' '\\n'; echo /proc/[0-9]*")
    assert code == 0
    assert "OF_THE_SERVER" not in output
    assert f"/proc/{os.getpid()}" not in output


def test_no_signal_leaves_it(place: Place) -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as outside:
        code, output = place.run(f"kill -KILL {outside.pid}")
        assert (code, "No such process" in output or "no such process" in output.lower()) == (1, True)
        assert outside.poll() is None
        outside.kill()


@pytest.mark.parametrize(
    "target", ["/etc/passrole-was-here", "/usr/passrole-was-here", "/proc/sys/vm/swappiness", "/dev/made"]
)
def test_it_writes_nowhere_else(place: Place, target: str) -> None:
    place.run(f"echo 1 > {target}")
    before = Path(target).read_text() if Path(target).exists() else None
    assert before is None or target.startswith("/proc")


@pytest.mark.parametrize(
    "attempt",
    [
        "umount /tmp",
        "umount -l '{data}'",
        "mount --bind / /mnt",
        "mount -o remount,rw /",
        "unshare --mount --map-root-user umount -l '{data}'",
        "mknod /opt/ml/disk b 254 0",
        "echo x > /proc/sys/kernel/core_pattern",
        "nsenter --target 1 --mount true",
    ],
)
def test_its_walls_cannot_be_taken_down(place: Place, attempt: str) -> None:
    code, output = place.run(
        f"{attempt.format(data=place.data)} 2>&1 && echo done; cat '{place.data}/secret'"
    )
    assert code != 0
    assert "done" not in output
    assert SECRET not in output


def test_sockets_of_the_machine_and_secrets_of_its_user_are_not_there(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "credentials").write_text(SECRET)
    monkeypatch.setenv("HOME", str(home))
    code, output = place.run(f"ls -A /run/docker.sock /run/podman; cat {home}/.aws/credentials")
    assert code == 1
    assert SECRET not in output


def test_a_daemon_ends_with_its_program(place: Place) -> None:
    code, output = place.run("setsid sh -c 'sleep 300' > /dev/null 2>&1 & echo started")
    assert (code, output) == (0, "started\n")
    eventually(lambda: not _running_with(b"300"))


def test_what_is_tied_ends_with_whoever_started_it(place: Place, tmp_path: Path) -> None:
    command = place.sandbox.command(place.world, ["sleep", "301"], tied=True)
    starter = f"import subprocess; subprocess.run({command!r}, env={dict(place.environment)!r})"
    with subprocess.Popen([sys.executable, "-c", starter]) as owner:
        try:
            eventually(lambda: _running_with(b"301"))
        finally:
            owner.kill()
    eventually(lambda: not _running_with(b"301"))


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -KILL $$", 137), ("kill -SEGV $$", 139)])
def test_its_exit_code_comes_out(place: Place, script: str, code: int) -> None:
    assert place.run(script)[0] == code


def test_a_signal_reaches_the_program_which_may_take_its_time(place: Place) -> None:
    script = "trap 'echo warned > warned; exit 5' TERM; echo up > up; while :; do sleep 0.05; done"
    process = place.start(script)
    eventually((place.job / "up").exists)
    os.kill(processes.program(process.pid), signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 5
    assert (place.job / "warned").exists()


def test_without_network_there_is_not_even_the_gateway(place: Place) -> None:
    code, output = place.run("cat /proc/net/dev", replace(place.world, network=False))
    names = {line.partition(":")[0].strip() for line in output.splitlines()[2:]}
    assert (code, names - {"lo"}) == (0, set())


def test_names_of_its_own(place: Place) -> None:
    hosts = place.job / "hosts"
    hosts.write_text("127.0.0.1 algo-1 algo-2\n")
    world = replace(place.world, readable={Path("/etc/hosts"): hosts})
    assert place.run("cat /proc/sys/kernel/hostname; getent hosts algo-2 | tr -s ' '", world) == (
        0,
        "algo-1\n127.0.0.1 algo-1 algo-2\n",
    )


def test_a_folder_below_a_writable_one_can_be_read_only(place: Place) -> None:
    channel = place.job / "channel"
    channel.mkdir()
    (channel / "x").write_text("1")
    world = replace(place.world, readable={ML / "input" / "data" / "train": channel})
    script = "cat input/data/train/x; touch input/written; touch input/data/train/y"
    code, output = place.run(script, world)
    assert (code, output.startswith("1")) == (1, True)
    assert (place.job / "input" / "written").exists()
    assert not (channel / "y").exists()


def test_a_folder_below_a_shown_one_can_be_hidden(place: Place) -> None:
    outer = place.data.parent
    world = replace(place.world, writable={ML: place.job, outer: outer})
    assert place.run(f"echo 1 > '{outer}/told'", world)[0] == 0
    assert (outer / "told").exists()
    code, output = place.run(f"ls -A '{place.data}'", world)
    assert (code, output) == (0, "")


def test_a_folder_of_a_hidden_one_can_be_shown(place: Place) -> None:
    own = place.data / "own"
    own.mkdir()
    (own / "x").write_text("1")
    code, output = place.run(f"cd '{place.data}'; ls; cat own/x", replace(place.world, readable={own: own}))
    assert (code, output) == (0, "own\n1")


def test_what_is_hidden_stays_so_beside_a_place_that_had_to_be_made(place: Place) -> None:
    """The folder that has the new place is made anew, and gets back what was in it."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        (data / "secret").write_text(SECRET)
        (Path(folder) / "link").symlink_to(data)
        made = {Path("/var/made-for-passrole") / "x": place.job, Path(folder) / "made" / "x": place.job}
        world = replace(place.world, readable=made, hidden=(data,))
        code, output = place.run(f"cat '{data}/secret' '{folder}/link/secret'; ls '{folder}'", world)
        assert (code, SECRET in output) == (0, False)
        assert output.endswith("data\nlink\nmade\n")
        assert sorted(each.name for each in Path(folder).iterdir()) == ["data", "link"]


def test_its_standard_input_reaches_it(place: Place) -> None:
    """By it a program gets its environment."""
    command = confined(place.sandbox, place.world, ["/bin/sh", "-c", 'printf %s "$MARK $LD_PRELOAD"; cat'])
    given = exported({"MARK": "it's\n$(id)", "LD_PRELOAD": "/no/such.so"})
    done = subprocess.run(command, input=given, capture_output=True, env=OUTSIDE, check=False)
    assert done.stdout == b"it's\n$(id) /no/such.so"


def test_tmp_is_its_own_and_bounded(place: Place) -> None:
    world = replace(place.world, temporary_bytes=1 << 20)
    assert place.run("ls -A /tmp", world) == (0, "")
    code, output = place.run("head -c 3000000 /dev/zero > /tmp/full", world)
    assert (code, "No space left" in output) == (1, True)


def test_tmp_can_be_a_folder(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    assert place.run("echo 1 > /tmp/kept", replace(place.world, temporary=folder)) == (0, "")
    assert (folder / "kept").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_what_is_mounted_in_a_read_only_folder_is_read_only(place: Place, tmp_path: Path) -> None:
    inner = tmp_path / "shown" / "a b\\"
    inner.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "test", str(inner)], check=True)
    try:
        world = replace(place.world, readable={ML / "shown": tmp_path / "shown"})
        code, output = place.run("cd /opt/ml/shown/a* && touch made", world)
        assert code == 1 and "Read-only" in output, output
        assert not (inner / "made").exists()
    finally:
        subprocess.run(["umount", str(inner)], check=True)


def test_the_place_for_what_is_shown_is_not_made_on_the_machine(place: Place) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        target = Path(folder)
        world = replace(
            place.world, writable={target: place.job}, readable={target / "in": place.data}, work=target
        )
        assert place.run("cat in/secret", world)[0] == 0
        assert list(target.iterdir()) == []


def test_hostile_names_are_only_names(place: Place, tmp_path: Path) -> None:
    name = "a b'\"; touch broken; $(touch broken) `touch broken` \n"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "x").write_text("1")
    world = replace(place.world, readable={ML / "odd": folder})
    assert place.run("cat odd/x", world) == (0, "1")
    assert not (place.job / "broken").exists()


def test_a_program_that_is_not_there_is_told(place: Place) -> None:
    command = place.sandbox.command(place.world, ["/no/such/program"], tied=True)
    done = subprocess.run(command, capture_output=True, env=dict(place.environment), check=False)
    assert done.returncode != 0
    assert b"/no/such/program" in done.stderr


def test_a_sandbox_that_does_not_work_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "why_not", lambda _: "Operation not permitted")
    with pytest.raises(SandboxMissing, match=r"not permitted.*install bubblewrap"):
        chosen("bubblewrap")


def _running_with(word: bytes) -> bool:
    """Whether a `sleep` with this argument runs anywhere on the machine."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cmdline").read_bytes().split(b"\0")[:2] == [b"sleep", word]:
                return True
        except OSError:
            continue
    return False
