"""One worker's limits, its log, and its end when the server dies."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.eventually import eventually, eventually_async, processes_with
from tests.runtimes.conftest import WHO, Bench

from passrole.runtimes import Functions


def test_a_timeout_kills_the_function_and_what_it_started(bench: Bench) -> None:
    source = "import subprocess, time; subprocess.Popen(['sleep', '60']); print('up'); time.sleep(60)"
    result = bench.once(bench.function(source, timeout_seconds=1))
    assert result.error == "Unhandled"
    assert json.loads(result.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: r-1 Error: Task timed out after 1.00 seconds",
    }
    lines = result.log.decode().splitlines()
    assert "r-1 Task timed out after 1.00 seconds" in lines
    assert "up" in lines
    assert lines[-1].endswith("\tStatus: timeout\t")
    eventually(lambda: not processes_with(result.log_stream))


@pytest.mark.parametrize("sandbox", ["auto", "none"])
def test_a_child_that_left_the_session_dies_with_its_function(own_bench: Bench, sandbox: str) -> None:
    source = """
        import subprocess, time
        subprocess.Popen(['sleep', '60'], start_new_session=True)
        print('up')
        time.sleep(60)
    """
    result = own_bench.once(own_bench.function(source, timeout_seconds=1), sandbox=sandbox)
    assert b"\nup\n" in result.log
    eventually(lambda: not processes_with(result.log_stream))


def test_after_a_timeout_the_next_invocation_starts_afresh(own_bench: Bench) -> None:
    spec = own_bench.function("import time; time.sleep(event); return event", timeout_seconds=1)

    async def scenario(functions: Functions) -> list[str | None]:
        return [(await own_bench.invoke(functions, spec, seconds)).error for seconds in (0, 5, 0)]

    assert own_bench.run(scenario) == [None, "Unhandled", None]


@pytest.mark.parametrize("where", ["itself", "a child"])
def test_more_memory_than_configured_is_killed(own_bench: Bench, where: str) -> None:
    hungry = "x = b'x' * (200 << 20); import time; time.sleep(20)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hungry!r}])"
    spec = own_bench.function(hungry if where == "itself" else child, memory_mb=128)
    result = own_bench.once(spec)
    assert json.loads(result.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": "RequestId: r-1 Error: Runtime exited with error: signal: killed",
    }


def test_too_large_an_answer_is_refused_and_the_worker_stays_warm(bench: Bench) -> None:
    spec = bench.function(f"if event: return 'x' * event\n{WHO}")

    async def scenario(functions: Functions) -> Any:
        before = await bench.call(functions, spec, 0)
        fits = await bench.invoke(functions, spec, 6_291_554)  # and two quotes
        over = await bench.invoke(functions, spec, 6_291_555)
        return before, fits, over, await bench.call(functions, spec, 0)

    before, fits, over, after = bench.run(scenario)
    assert (fits.error, len(fits.payload)) == (None, 6_291_556)
    assert over.error == "Unhandled"
    assert json.loads(over.payload) == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }
    assert before == after


def test_the_log_has_lambdas_own_lines_around_the_functions(bench: Bench) -> None:
    log = bench.once(bench.function("print('hello'); return 1")).log.decode()
    start, hello, end, report = log.splitlines()
    assert start == "START RequestId: r-1 Version: $LATEST"
    assert (hello, end) == ("hello", "END RequestId: r-1")
    assert [field.split(":")[0] for field in report.split("\t")] == [
        "REPORT RequestId",
        "Duration",
        "Billed Duration",
        "Memory Size",
        "Max Memory Used",
        "Init Duration",
        "",
    ]


def test_what_was_printed_is_always_in_the_log_of_its_invocation(bench: Bench) -> None:
    spec = bench.function("print('much\\n' * event['much'] + f\"line {event['n']}\"); return event['n']")

    async def scenario(functions: Functions) -> None:
        for n in range(200):
            much = 40_000 if n % 20 == 0 else n % 3
            result = await bench.invoke(functions, spec, {"n": n, "much": much})
            text = result.log.decode()
            assert f"line {n}\nEND RequestId: r-1\n" in text
            assert text.count("much\n") == much
            assert f"line {n - 1}\n" not in text

    bench.run(scenario)


def test_stderr_and_children_write_to_the_log_too(own_bench: Bench) -> None:
    source = "import subprocess, sys; print('err', file=sys.stderr); subprocess.run(['echo', 'child'])"
    assert "err\nchild\nEND" in own_bench.once(own_bench.function(source)).log.decode()


def test_a_log_without_end_keeps_its_last_megabyte(own_bench: Bench) -> None:
    log = own_bench.once(own_bench.function("print('x' * (5 << 20)); print('last')")).log
    assert log.startswith(b"[passrole] the beginning of this log was dropped\n")
    assert 1 << 20 <= len(log) <= (1 << 20) + 100
    assert b"last\nEND" in log


def test_another_python_than_the_hosts_is_said_loudly(own_bench: Bench) -> None:
    log = own_bench.once(own_bench.function("pass", runtime="python3.8")).log.decode()
    assert log.startswith("[WARNING] passrole: the function asks for python3.8 and runs on python3.")


def test_nothing_of_the_hosts_environment_reaches_a_function(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SECRET_OF_THE_HOST", "AWS_PROFILE", "PYTHONSTARTUP", "LD_PRELOAD_PATH", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, "leaked")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAHOST")
    spec = bench.function("import os; return dict(os.environ)", environment={"MINE": "1", "PATH": "/bin"})
    seen = json.loads(bench.once(spec).payload)
    assert [name for name, value in seen.items() if "leaked" in value or "AKIAHOST" in value] == []
    assert os.environ["HOME"] not in (seen["HOME"], seen["TMPDIR"])
    known = {
        "AWS_ACCESS_KEY_ID": "ASIAKEY",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_REGION": "eu-west-1",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token-1",
        "LAMBDA_TASK_ROOT": str(bench.root(spec)),
        "MINE": "1",
        "PATH": "/bin",
        "_HANDLER": "h.handler",
    }
    assert {name: seen[name] for name in known} == known


ORPHANAGE = """
import asyncio, sys, time
from pathlib import Path
from passrole.config import Config, Paths
from passrole.runtimes import Functions
from passrole.runtimes.environment import HOST_RUNTIME
from passrole.runtimes.interface import Credentials, FunctionSpec, Invocation

async def credentials():
    return Credentials("a", "b", "c", time.time() + 3600)

async def main(place, bootstrap, sandbox):
    config = Config(
        place / "data", lambda_bootstrap=bootstrap, shared_paths=Paths(str(place)), sandbox=sandbox
    )
    functions = Functions(config)
    spec = FunctionSpec("arn:aws:lambda:eu-west-1:111122223333:function:f", "f", "1", HOST_RUNTIME,
                        "h.handler", place / "code", 60, 512)
    calls = [functions.invoke(spec, credentials, Invocation(str(n), b"%d" % n)) for n in (0, 60)]
    for ended in asyncio.as_completed(calls):
        await ended
        (place / "one-is-idle").touch()

asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
"""


@pytest.mark.parametrize("sandbox", ["auto", "none"])
@pytest.mark.parametrize("bootstrap", ["awslambdaric", "own"])
def test_workers_end_when_the_server_is_killed(tmp_path: Path, bootstrap: str, sandbox: str) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "h.py").write_text(
        "import os, subprocess, time\n"
        "def handler(event, context):\n"
        "    child = subprocess.Popen(['sleep', '60'])\n"
        f"    open(f'{tmp_path}/' + context.log_stream_name.partition(']')[2] + '.begun', 'w').close()\n"
        "    end = time.time() + event\n"
        "    while time.time() < end: pass\n"
    )
    server = subprocess.Popen([sys.executable, "-c", ORPHANAGE, str(tmp_path), bootstrap, sandbox])
    eventually(lambda: len(list(tmp_path.glob("*.begun"))) == 2)
    eventually((tmp_path / "one-is-idle").exists)  # and the other burns the processor
    begun = [path.stem for path in tmp_path.glob("*.begun")]
    assert all(len(processes_with(who)) == 2 for who in begun)
    server.send_signal(signal.SIGKILL)
    server.wait()
    eventually(lambda: not any(map(processes_with, begun)))


def test_giving_up_on_an_invocation_ends_it(own_bench: Bench) -> None:
    spec = own_bench.gated(timeout_seconds=900)

    async def scenario(functions: Functions) -> None:
        call = asyncio.ensure_future(own_bench.invoke(functions, spec))
        await own_bench.until_begun(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        (begun,) = own_bench.place.glob("*.begun")
        who = begun.stem.rpartition("-")[2]
        await eventually_async(lambda: not processes_with(who))

    own_bench.run(scenario)
