"""A command runs as if it had been started directly."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from passrole.cli.errors import Failed
from passrole.cli.server import process

COUNTS_SIGNALS = """
import pathlib, signal, sys, time
seen = []
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda n, f: seen.append(n))
pathlib.Path(sys.argv[1]).touch()
while not seen:
    time.sleep(0.01)
sys.exit(40 + len(seen))
"""


@pytest.mark.parametrize(
    "code, expected",
    [
        ("raise SystemExit(0)", 0),
        ("raise SystemExit(7)", 7),
        ("import os; os.kill(os.getpid(), 9)", 137),
    ],
)
def test_the_exit_code_is_the_commands(code: str, expected: int) -> None:
    assert process.run([sys.executable, "-c", code], os.environ) == expected


def test_the_environment_is_the_one_given() -> None:
    check = "import os, sys; sys.exit(os.environ.get('MARK') != 'x')"
    assert process.run([sys.executable, "-c", check], {"MARK": "x"}) == 0


@pytest.mark.parametrize(
    "command, code", [("no-such-command-anywhere", 127), ("/dev/null", 126)], ids=["missing", "not a program"]
)
def test_a_command_that_cannot_be_run_has_the_shells_exit_code(command: str, code: int) -> None:
    with pytest.raises(Failed) as raised:
        process.run([command], os.environ)
    assert raised.value.exit_code == code
    assert f"`{command}`" in raised.value.message


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_command_once_and_the_command_decides(
    number: signal.Signals, tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    script = (
        "import os, sys; from passrole.cli.server import process;"
        "sys.exit(process.run([sys.executable, '-c', sys.argv[1], sys.argv[2]], os.environ))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, COUNTS_SIGNALS, str(ready)], stdin=subprocess.DEVNULL
    )
    until = time.monotonic() + 20
    while not ready.exists() and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(20) == 41
