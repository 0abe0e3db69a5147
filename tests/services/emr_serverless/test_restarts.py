"""What becomes of job runs when the server is killed: a program is awaited or lost, and never begun twice."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Server
from tests.eventually import eventually
from tests.services.emr_serverless.conftest import SPARK_SECONDS, Workshop

LASTS = (
    "import pathlib, sys, time\n"
    "folder = pathlib.Path(sys.argv[1])\n"
    "with (folder / 'log').open('a') as log: log.write('begun\\n')\n"
    "while not (folder / 'go').exists(): time.sleep(0.05)\n"
    "with (folder / 'log').open('a') as log: log.write('ended\\n')\n"
)


def test_a_killed_server_waits_for_what_still_runs_and_fails_what_is_gone(
    start_server: Callable[..., Server], tmp_path: Path, spark: None
) -> None:
    server = start_server()
    workshop = Workshop(server)
    id_ = workshop.application()
    lasting = workshop.start(id_, LASTS, str(tmp_path))
    gone = workshop.start(id_, "import time\ntime.sleep(600)\n")
    for each in (lasting, gone):
        workshop.until(id_, each, "RUNNING")
    eventually((tmp_path / "log").exists, seconds=SPARK_SECONDS)
    pid = server.data / "emr-serverless" / id_ / gone / "1" / "pid"
    eventually(lambda: pid.exists() and pid.read_text(), seconds=SPARK_SECONDS)
    server.kill()
    os.killpg(int(pid.read_text()), signal.SIGKILL)
    server.start()
    assert workshop.run(id_, lasting)["state"] == "RUNNING"
    lost = workshop.until(id_, gone)
    assert (lost["state"], lost["attempt"]) == ("FAILED", 1)
    assert "The server was stopped while the job run went on" in lost["stateDetails"]
    (tmp_path / "go").touch()
    assert workshop.until(id_, lasting)["state"] == "SUCCESS"
    assert (tmp_path / "log").read_text().splitlines() == ["begun", "ended"]
