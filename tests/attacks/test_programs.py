"""What the code of a function, an EMR step and a job tries against the server and others: nothing succeeds.

On each kind of sandbox that this machine has; `tests/runtimes/sandbox` has more of what a sandbox is.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.conftest import Server, new_name
from tests.eventually import eventually, processes_with
from tests.services.emr.conftest import Fleet, shell
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole.runtimes.sandbox import SandboxMissing, chosen

MARK = "http://only.the.server.knows"
SECRET = "VALUE = 'of another'"
PROCESSES_MAX = 64
SHELL = """
import subprocess

def handler(event, context):
    return subprocess.run(["/bin/sh", "-c", event + " 2>&1"], stdout=subprocess.PIPE, text=True).stdout
"""

ATTACKS: Mapping[str, str] = {
    "reads the keys": "cat '{data}/credentials.json' '{data}'/*.sqlite*",
    "reads the keys by a link": "ln -s '{data}' /tmp/link; cat /tmp/link/credentials.json",
    "unmounts what hides the keys": "umount -l '{data}'; cat '{data}/credentials.json'",
    "reads another's code": "find '{data}/functions' -name main.py -exec cat {{}} +",
    "reads another's output": "cat '{data}'/emr/*/*/stdout '{data}'/jobs/*/*/*/*/*/run/stdout",
    "reads environments": "cat /proc/{server}/environ /proc/[0-9]*/environ | tr '\\0' '\\n'",
    "looks at processes": "cat /proc/[0-9]*/cmdline | tr '\\0' ' '",
    "ends the server": "kill -KILL {server} {parent}; kill -KILL -{server}",
    "writes beside its world": "for at in '{data}' '{outside}' /etc /usr /var /; do touch $at/{name}; done",
    "writes to another's code": "find / -xdev -name main.py -path '*functions*' -exec rm {{}} +",
}
"""By what is tried; the server, its parent's process and the folders are filled in."""


class Programs:
    """Runs shell in a function, in a step and in a job; each says what it printed."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.victim = server.function("sagemaker-victim", SECRET + "\ndef handler(event, context): return 1")
        self.function_name = "sagemaker-attacker"
        server.function(self.function_name, SHELL, Timeout=60)
        self._fleet = Fleet(server)
        self._cluster = self._fleet.run()
        self._jobs = Workshop(server)
        for run in (self.function, self.step, self.job):
            assert run(f'echo "{SECRET}"') == SECRET + "\n"  # what others may want to read

    def function(self, script: str) -> str:
        payload = json.dumps(script)
        answer = self.server.client("lambda").invoke(FunctionName=self.function_name, Payload=payload)
        said: str = json.load(answer["Payload"])
        return said

    def step(self, script: str) -> str:
        (made,) = self._fleet.add(self._cluster, shell(f"exec 2>&1; {script}"))
        self._fleet.step_until(self._cluster, made)
        return (self.server.data / "emr" / self._cluster / made / "stdout").read_text()

    def job(self, script: str) -> str:
        name = self._jobs.train(script)["TrainingJobName"]
        (printed,) = self.server.data.glob(f"jobs/training-job/*/*/{name}/algo-1/run/stdout")
        return printed.read_text()


@pytest.fixture(scope="module", params=["bubblewrap", "unshare", "container"])
def programs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    try:
        chosen(request.param)
    except SandboxMissing as error:
        pytest.skip(str(error))
    data = tmp_path_factory.mktemp("attacked") / "data"
    limit = str(PROCESSES_MAX)
    server = Server(data, sandbox=request.param, upstream_proxy=MARK, shared_paths="", processes_max=limit)
    try:
        yield Programs(server)
    finally:
        server.stop()


@pytest.mark.parametrize("kind", ["function", "step", "job"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_succeeds(programs: Programs, kind: str, attack: str, tmp_path: Path) -> None:
    server, name = programs.server, new_name("written")
    script = ATTACKS[attack].format(
        data=server.data,
        server=server.process.pid,
        parent=Path("/proc/self").readlink(),
        outside=tmp_path,
        name=name,
    )
    said = getattr(programs, kind)(f"{script}; echo tried")
    assert said.endswith("tried\n")
    for secret in (server.access["secret_access_key"], MARK, SECRET, "passrole serve"):
        assert secret not in said
    assert server.process.poll() is None
    for folder in (server.data, tmp_path, *map(Path, ("/etc", "/usr", "/var", "/"))):
        assert not (folder / name).exists()
    assert list((server.data / "functions").rglob("main.py"))


def _leaves(server: Server, programs: Programs, kind: str) -> None:
    """Make the program end: a step and a job have, a function's process when it is replaced."""
    if kind == "function":
        server.client("lambda").update_function_configuration(FunctionName=programs.function_name, Timeout=59)


@pytest.mark.parametrize("kind", ["function", "step", "job"])
def test_a_daemon_ends_with_its_program(programs: Programs, kind: str) -> None:
    mark = new_name("daemon")
    daemon = (
        f"MARKED={mark} setsid setsid sh -c 'sleep 300' > /dev/null 2>&1 < /dev/null & sleep 0.2; echo up"
    )
    assert getattr(programs, kind)(daemon) == "up\n"
    if kind == "function":
        assert processes_with(mark)  # it is frozen on AWS, and here goes on until its process ends
    _leaves(programs.server, programs, kind)
    eventually(lambda: not processes_with(mark))


@pytest.mark.parametrize("kind", ["function", "step", "job"])
def test_a_bomb_ends_with_its_program_and_harms_nobody(programs: Programs, kind: str) -> None:
    mark = new_name("bomb")
    bomb = (
        f"python3 -c 'import os, time; [os.fork() for _ in range(11)]; time.sleep(50)' {mark}; echo went on"
    )
    assert "went on" not in str(getattr(programs, kind)(bomb)).replace(bomb, "")
    eventually(lambda: not processes_with(mark))
    assert getattr(programs, kind)("echo 1") == "1\n"


@pytest.mark.parametrize("kind", ["function", "step", "job"])
def test_what_one_leaves_in_tmp_no_other_finds(programs: Programs, kind: str) -> None:
    run: Callable[[str], str] = getattr(programs, kind)
    name = new_name("left")
    assert run(f"echo 1 > /tmp/{name}; cat /tmp/{name}") == "1\n"
    for other in {"function", "step", "job"} - {kind}:
        assert "1" not in getattr(programs, other)(f"cat /tmp/{name}").replace(name, "")
    assert not (Path("/tmp") / name).exists()
