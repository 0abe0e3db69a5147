"""The run, from its arguments to its exit code; what it is for is told in __main__.py."""

import argparse
import faulthandler
import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.chaos import machine
from tests.chaos.checks import LOST, Found, for_a_full_disk, violations
from tests.chaos.cluster import Cluster, cluster
from tests.chaos.load.clusters import PIPELINE as OF_CLUSTERS
from tests.chaos.load.clusters import Clusters
from tests.chaos.load.crew import Crew
from tests.chaos.load.others import Events, Messages, Objects, Sessions
from tests.chaos.load.pipelines import PIPELINE, Pipelines
from tests.chaos.load.stops import PIPELINE as OF_STOPS
from tests.chaos.load.stops import Stops
from tests.chaos.mishaps import befall, kinds, plan
from tests.chaos.told import Told, noted
from tests.eventually import eventually
from tests.postgres import PostgresMissing, program

DRAIN_SECONDS = 180.0
_SHOWN = 100


def main() -> int:
    """The exit code."""
    faulthandler.register(signal.SIGUSR1)  # where its threads are
    given = _arguments()
    if (reason := _obstacle()) is not None:
        print(f"chaos: skipped: {reason}")
        return 0
    if not machine.is_inside():
        return machine.enter()
    folder = Path(tempfile.mkdtemp(prefix="passrole-chaos-"))
    folder.chmod(0o755)
    wrong = _run(folder, given)
    if wrong:
        print(f"chaos: logs and data are in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--events", type=int, default=12)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--only", default="", help="kinds of mishaps, by commas")
    return parser.parse_args()


def _obstacle() -> str | None:
    if os.getuid() != 0:
        return "namespaces are made by root alone"
    try:
        program("initdb")
    except PostgresMissing as missing:
        return str(missing)
    return machine.obstacle()


def _run(folder: Path, given: argparse.Namespace) -> int:
    """The number of violations."""
    told, began = Told(), time.monotonic()
    among = {name: kind for name, kind in kinds().items() if not given.only or name in given.only.split(",")}
    rounds = list(plan(given.seed, given.events, given.nodes, among))
    with cluster(folder, given.nodes) as running:
        caller = running.caller(told)
        pipelines, objects = Pipelines(caller, running.notes), Objects(caller)
        crew = Crew(told)
        clusters = Clusters(caller, running.notes)
        stops = Stops(caller, pipelines)
        for each in (Messages(caller), Events(caller), objects, Sessions(caller), clusters, stops):
            each.join(crew)
        pipelines.join(crew)
        crew.start()
        print(f"seed {given.seed}, {given.events} mishaps of {len(among)} kinds", flush=True)
        for round_ in rounds:
            befall(running, round_, told)
        crew.produce_no_more()
        _drain(told)
        crew.rest()
        found = _look(running, told, pipelines, objects)
        told.refused += running.stop()
    wrong = list(violations(told, found))
    _report(told, found, Counter(each.kind for round_ in rounds for each in round_.mishaps), running)
    for name, what in wrong[:_SHOWN]:
        print(f"VIOLATION {name}: {what}")
    print(f"{len(wrong)} violations in {time.monotonic() - began:.0f} s")
    return len(wrong)


def _drain(told: Told) -> None:
    """Executions end and messages arrive; what does not is told by the checks."""

    def is_idle() -> bool:
        with told.lock:
            missing = any(sent - set(told.received[queue]) for queue, sent in told.sent.items())
            ends = {arn for arn, status in told.ended.items() if status == "Succeeded"}
            missing |= bool(ends - set(told.received["chaos-ends"]))
        return not missing and not told.open_executions()

    began = time.monotonic()
    try:
        eventually(is_idle, seconds=DRAIN_SECONDS)
    except AssertionError:
        print(f"not idle after {DRAIN_SECONDS:.0f} s", flush=True)
    print(f"idle {time.monotonic() - began:.0f} s after the last call", flush=True)


def _look(running: Cluster, told: Told, pipelines: Pipelines, objects: Objects) -> Found:
    """What the services have once everything has come to rest."""
    for arn in list(told.ended):
        pipelines.look_at(arn)
    listed: dict[str, str] = {}
    for pipeline in (PIPELINE, OF_CLUSTERS, OF_STOPS):
        listed |= pipelines.listed(pipeline)
    read = {key: objects.read(key) for key in told.objects}
    return Found(list(noted(running.notes)), listed, running.audited(), read)


def _report(told: Told, found: Found, mishaps: Counter[str], running: Cluster) -> None:
    runs = Counter(each.step for each in found.notes if each.what == "begin")
    lines = {
        "mishaps": dict(mishaps),
        "starts of nodes": {node.name: node.starts for node in running.nodes},
        "copies of the primary": running.database.copies,
        "executions": len(told.ended),
        "executions that failed for a full disk": sum(map(for_a_full_disk, told.ended.values())),
        "executions whose EMR step was lost with its node": sum(LOST in each for each in told.ended.values()),
        "executions that were stopped": sum(each.startswith("Stopped") for each in told.ended.values()),
        "steps": len(told.succeeded),
        "runs of programs": dict(runs),
        "callbacks": len(told.asked),
        "messages": {queue: len(sent) for queue, sent in told.sent.items()},
        "runs of the rule with a schedule": len(told.minutes),
        "objects": len(told.objects),
        "calls answered": sum(told.operations.values()),
        "calls tried again": dict(told.failures),
    }
    for name, value in lines.items():
        print(f"  {name}: {value}")
