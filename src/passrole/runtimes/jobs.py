"""Programs that run for minutes or hours, each in its own session, to which a restarted server can reattach.

A small shell supervises each program and writes to the job's folder its process id (`pid`), the program's
output (`stdout`, `stderr`) and its exit code (`exit`). So after a kill the server knows the state of its jobs
from the folder: without `pid` the job never began, a running one is awaited, an ended one has an exit code,
and one that is gone without a code is lost.

No job is started twice. Only the first shell can create the file `pid`, which is on the disk before the
program begins, so that a shell left by a killed server and one of its successor never both run the program.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from passrole.config import Config
from passrole.runtimes import processes
from passrole.runtimes.process_limit import ProcessLimit

POLL_SECONDS, KILLED_POLL_SECONDS = 0.5, 0.02
GRACE_SECONDS = 10.0
KILLED_SECONDS_MAX = 5.0
"""How long those that were killed are waited for: a sandbox takes its processes along a moment later."""

STDOUT, STDERR = "stdout", "stderr"

# The traps keep the shell alive to record the exit code; a trap, unlike an ignored signal, is not inherited.
# A signal before the program begins prevents its start. The code is written over blanks that are there from
# the start, so that a program which fills the disk has one too.
_SHELL = (
    "code=; trap 'code=143' TERM INT HUP;"
    ' set -C; echo $$ > "$0/pid" || exit; set +C; sync "$0/pid" "$0";'
    ' printf "   \\n" > "$0/exit.new" || exit;'
    ' if [ -z "$code" ]; then "$@" > "$0/stdout" 2> "$0/stderr"; code=$?; fi;'
    ' printf "%-3s\\n" "$code" 1<> "$0/exit.new"; mv "$0/exit.new" "$0/exit"'
)


@dataclass(frozen=True)
class JobSpec:
    """A program to run. `folder` is the job's own and must not have run one before; `work` is where it
    runs. One that `is_confined` runs in a sandbox, which its command line makes.
    """

    folder: Path
    work: Path
    command: Sequence[str]
    environment: Mapping[str, str]
    is_confined: bool = False


class JobLost(Exception):
    """The program is gone without an exit code: it was killed together with its server."""


class FilesNotWritten(OSError):
    """The files that tell of a program could not be written, as on a full disk."""

    def __init__(self) -> None:
        super().__init__(
            "the program's own files could not be written: is the disk with the data folder full?"
        )


class Jobs:
    """Runs jobs and waits for them. Create it inside the event loop that will use it."""

    def __init__(
        self, grace_seconds: float = GRACE_SECONDS, processes_max: int = Config.processes_max
    ) -> None:
        self._grace_seconds = grace_seconds
        self._limit = ProcessLimit(processes_max)
        self._running: dict[Path, int] = {}
        self._confined: set[Path] = set()
        self._killed: set[Path] = set()
        self._leaves = False

    async def run(self, spec: JobSpec) -> int:
        """Run a job to its end; its exit code, 128 and the signal's number more where a signal ended it.

        Raises OSError where it cannot be started, JobLost where somebody killed it with its shell.
        """
        spec.folder.mkdir(parents=True, exist_ok=True)
        spec.work.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(  # noqa: S603, ASYNC220 (the job's own; asyncio kills its with its loop)
            ["/bin/sh", "-c", _SHELL, str(spec.folder), *spec.command],
            cwd=spec.work,
            env=dict(spec.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with self._listed(spec.folder, process.pid, is_confined=spec.is_confined):
            await processes.ended(process)
        if _pid(spec.folder) not in (None, process.pid):  # the shell of a server that was killed was first
            return await self.reattach(spec.folder, is_confined=spec.is_confined)
        if process.returncode > 0 and not has_ended(spec.folder):  # less than 0: it was killed
            raise FilesNotWritten
        return _exit_code(spec.folder)

    async def reattach(self, folder: Path, *, is_confined: bool = False) -> int:
        """Wait for a job that an earlier server started; its exit code. Raises JobLost."""
        pid = _pid(folder)
        if pid is not None and _stands_over(pid, folder):
            with self._listed(folder, pid, is_confined=is_confined):
                while _stands_over(pid, folder):  # noqa: ASYNC110 (it is nobody's child: nothing tells of its end)
                    await asyncio.sleep(POLL_SECONDS)
        return _exit_code(folder)

    @property
    def running(self) -> Collection[Path]:
        """The folders of those that run."""
        return self._running.keys()

    def interrupt(self, folder: Path) -> bool:
        """Ask the job to end: SIGTERM to its process group, or to the program in its sandbox.

        Whether there was anything to ask: a job that is only about to start has no process yet, and a
        sandbox that is asked while it is made may leave its inside behind.
        """
        pid = self._running.get(folder)
        if pid is None:
            return False
        program = processes.program(pid)
        if program == pid and folder in self._confined:
            return False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if program == pid:
                os.killpg(pid, signal.SIGTERM)
            else:  # the sandbox itself would end at once, and take the program along
                os.kill(program, signal.SIGTERM)
        return True

    def kill(self, folder: Path) -> None:
        """Kill the job and all its descendants."""
        pid = self._running.get(folder)
        if pid is not None:
            processes.kill_family(pid)

    def kill_program(self, folder: Path) -> None:
        """Kill the program and its descendants, but not the shell over it, which records how it ended."""
        pid = self._running.get(folder)
        if pid is not None:
            processes.kill_below(pid)

    def leave(self) -> None:
        """Let the programs go on when this is closed, for the next server to find them."""
        self._leaves = True

    async def close(self) -> None:
        """Ask every job to end, and kill those that have not within `grace_seconds`; none after `leave`."""
        if self._leaves:
            return
        unasked = set(self._running)
        loop = asyncio.get_running_loop()
        until = loop.time() + self._grace_seconds
        while self._running and loop.time() < until:
            unasked = {each for each in unasked & self._running.keys() if not self.interrupt(each)}
            await asyncio.sleep(0.05)
        killed = [each for pid in self._running.values() for each in processes.family(pid)]
        for folder in tuple(self._running):
            self.kill(folder)
        until = loop.time() + KILLED_SECONDS_MAX
        while any(map(processes.is_alive, killed)) and loop.time() < until:  # noqa: ASYNC110 (no event tells)
            await asyncio.sleep(0.005)

    def _exceeded(self, folder: Path, pid: int) -> None:
        """The program has too many processes. Where its sandbox was killed a moment ago, and they are only
        dying, the shell lives to record the exit code.
        """
        with contextlib.suppress(OSError):  # a full disk: it ends all the same
            (folder / "exceeded").write_text(self._limit.message("the program"))
        if processes.kill_sandbox(pid):
            self._killed.add(folder)
        elif folder not in self._killed:
            processes.kill_family(pid)

    @contextlib.contextmanager
    def _listed(self, folder: Path, pid: int, *, is_confined: bool) -> Iterator[None]:
        self._running[folder] = pid
        if is_confined:
            self._confined.add(folder)
        try:
            with self._limit.over(pid, lambda: self._exceeded(folder, pid)):
                yield
        finally:
            self._running.pop(folder, None)
            self._confined.discard(folder)
            self._killed.discard(folder)


def emr_folder(data: Path, cluster_id: str, step_id: str = "") -> Path:
    """Where the files of an EMR step are, in the data folder; without one, those of its cluster."""
    return (data / "emr" / cluster_id / step_id).resolve()


def serverless_folder(data: Path, application_id: str, job_run_id: str = "", attempt: int = 0) -> Path:
    """Where the files of an attempt of a job run of EMR Serverless are; without one, those of all."""
    of_run = data / "emr-serverless" / application_id / job_run_id
    return (of_run / str(attempt) if attempt else of_run).resolve()


def job_folder(data: Path, kind: str, key: str) -> Path:
    """Where the files of a job of SageMaker are; `kind` as in its ARN, `key` as in the store."""
    return data.resolve() / "jobs" / kind / key


def may_have_begun(folder: Path) -> bool:
    """Whether a job's program may have begun; if False, it certainly has not."""
    return (folder / "pid").exists() or has_ended(folder)


def is_running(folder: Path) -> bool:
    """Whether the shell over the job's program is there, whichever server has started it."""
    pid = _pid(folder)
    return pid is not None and not has_ended(folder) and _stands_over(pid, folder)


async def kill_found(folder: Path) -> None:
    """Kill a job, whichever server has started it, with all its descendants, and wait until it is gone, for
    KILLED_SECONDS_MAX at the most.
    """
    pid = _pid(folder)
    if pid is not None and is_running(folder):
        processes.kill_family(pid)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(KILLED_SECONDS_MAX):
            while is_running(folder):  # noqa: ASYNC110 (it is nobody's child: nothing tells of its end)
                await asyncio.sleep(KILLED_POLL_SECONDS)


def has_ended(folder: Path) -> bool:
    """Whether a job's program has ended by itself or by a signal, also while no server ran."""
    return (folder / "exit").exists()


def limit_exceeded(folder: Path) -> str | None:
    """What is told of a program that was ended because it had too many processes."""
    try:
        return (folder / "exceeded").read_text()
    except OSError:
        return None


def lose(folder: Path) -> None:
    """Turn a job that has ended into a lost one."""
    (folder / "exit").unlink(missing_ok=True)


def reset(folder: Path) -> None:
    """Turn a lost job into one that never began, so that it can be run again."""
    for name in ("exit", "pid", "exceeded"):
        (folder / name).unlink(missing_ok=True)


def read_output(folder: Path, stream: str, offset: int, bytes_max: int) -> bytes:
    """The output of a job (STDOUT or STDERR) from a byte offset; empty if there is none."""
    try:
        with (folder / stream).open("rb") as file:
            file.seek(offset)
            return file.read(bytes_max)
    except OSError:
        return b""


def output_bytes(folder: Path, stream: str) -> int:
    """How much a job has written so far to STDOUT or STDERR."""
    try:
        return (folder / stream).stat().st_size
    except OSError:
        return 0


def _exit_code(folder: Path) -> int:
    try:
        return int((folder / "exit").read_text())
    except (OSError, ValueError):
        raise JobLost(str(folder)) from None


def _pid(folder: Path) -> int | None:
    try:
        return int((folder / "pid").read_text())
    except (OSError, ValueError):
        return None


def _stands_over(pid: int, folder: Path) -> bool:
    """Whether the process is the shell of this job, and not another one that got its number since."""
    try:
        return os.fsencode(folder) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        pass
    if Path("/proc/self").exists():
        return False
    try:  # no /proc: the number is all there is to go by
        os.kill(pid, 0)
    except OSError:
        return False
    return True
