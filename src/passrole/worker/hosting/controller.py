"""The controller of endpoints: compares their rows with the model servers that run, and acts.

Where several servers share a database each runs every endpoint, and answers by its own servers. The first on
which all are ready says that it is in service, and a deleted one is gone where the first has ended its own.

An endpoint is looked at when it was changed, when one of its servers is ready, given up or ended, and at the
start. Its fleet serves while another one comes up; when all servers of that one answer, it takes the fleet's
place, and only then are the others ended, with the answers that are on their way.

Killed at any moment: the rows say what is to run. Programs that run are found again, those of which no row
knows are killed when their endpoint is looked at first, and no failed write ends anything: the endpoint is
looked at again. What fails to end is ended again, and its endpoint is not gone before.
"""

import asyncio
import logging
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path

from passrole import disk, trees
from passrole.services.sagemaker.hosting import states
from passrole.services.sagemaker.hosting.records import (
    DELETING,
    ENDPOINTS,
    FAILED,
    UPDATING,
    Endpoint,
    Fleet,
    Hosted,
    hosted_of,
)
from passrole.worker.due_keys import DueKeys
from passrole.worker.hosting.instance import HostedInstance, Means, home_of, keys_of_homes, killed
from passrole.worker.supervisor import Loop, Run, Supervisor, backoff_seconds

log = logging.getLogger(__name__)

AT_ONCE_MAX = 256
"""Endpoints that are looked at, and instances that come to their end."""

Servers = dict[str, HostedInstance]


class EndpointController:
    """Works all endpoints. `start` once the door is open; `leave` before programs are ended."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._due = DueKeys(means.clock)
        self._looked_at: set[str] = set()
        self._running: dict[str, Servers] = {}
        self._ending: dict[str, set[str]] = {}
        self._loops: dict[str, Loop] = {}
        self._supervisor: Supervisor | None = None
        self._loop: Loop | None = None

    def start(self, supervisor: Supervisor) -> None:
        """Take up every endpoint, and hear of changes."""
        self._supervisor = supervisor
        self._loop = supervisor.start("endpoints", self._run, at_once_max=AT_ONCE_MAX)

    def leave(self) -> None:
        """The ends of programs from now on are those of passrole's server."""
        for servers in self._running.values():
            for each in servers.values():
                each.leave()

    async def _run(self) -> None:
        unsubscribe = self._means.store.listen(states.CHANNEL, self._due.add)
        try:
            while True:
                await self._due.look(self._known)
                self._look()
                await self._due.wait(held=self._looked_at, is_full=self._is_full)
        finally:
            unsubscribe()

    async def _known(self) -> set[str]:
        """Endpoints that are rows, and those that run or have files here, whose rows may be gone."""
        left = await asyncio.to_thread(keys_of_homes, self._means.config)
        return {*await self._means.store.read(ENDPOINTS.keys), *self._running, *left}

    @property
    def _is_full(self) -> bool:
        assert self._loop is not None
        return self._loop.free <= 0

    def _look(self) -> None:
        assert self._loop is not None
        for key in self._due.take(self._loop.free, held=self._looked_at):
            self._looked_at.add(key)
            self._loop.spawn(self._settle(key)).add_done_callback(partial(self._looked_once, key))

    def _looked_once(self, key: str, task: "asyncio.Task[None]") -> None:
        self._looked_at.discard(key)
        self._due.ended(key, task)
        self._due.wake()

    async def _settle(self, key: str) -> None:
        """Start and end servers as the row says, and tell the row what has come of it."""
        endpoint = await self._means.store.read(lambda tx: ENDPOINTS.get(tx, key))
        wanted = {each.id: each for each in _wanted(endpoint)} if endpoint else {}
        if key not in self._running:  # later, what is not wanted is ours, and ends with its answers
            await self._end_strangers(key, wanted)
            self._running[key] = {}
        running = self._running[key]
        drains = endpoint is not None and endpoint.status != DELETING
        for each in [one for one in running.values() if one.hosted.id not in wanted]:
            self._end(key, each, drains=drains)
        if endpoint is None:
            await self._forget(key)
            return
        self._keep_up(endpoint, running)
        for hosted in wanted.values():
            if hosted.id not in running and hosted.id not in self._ending.get(key, ()):
                self._begin(endpoint, hosted)
        await self._tell(endpoint, running)

    def _keep_up(self, endpoint: Endpoint, running: Servers) -> None:
        """Have what serves never given up. One that was, while its fleet arrived elsewhere, is begun anew."""
        for each in list(running.values()):
            if _serves(endpoint, each.hosted):
                each.may_give_up = False
                if each.failure is not None:
                    self._end(endpoint.key, each, drains=False)

    async def _tell(self, endpoint: Endpoint, running: Servers) -> None:
        now, key = self._means.clock(), endpoint.key
        if endpoint.status in (DELETING, FAILED):
            if not running and not self._ending.get(key):
                await asyncio.to_thread(trees.remove, home_of(self._means.config, key))
                await self._means.store.write(lambda tx: states.gone(tx, key))
            return
        fleet = _awaited(endpoint)
        if fleet is None:
            return
        servers = [running.get(each.id) for each in hosted_of(endpoint, fleet)]
        reason = next((each.failure for each in servers if each and each.failure), None)
        number = fleet["number"]
        if reason is not None:
            await self._means.store.write(lambda tx: states.failed(tx, key, number, reason, now))
        elif all(each is not None and each.is_ready for each in servers):
            await self._means.store.write(lambda tx: states.arrived(tx, key, number, now))

    def _begin(self, endpoint: Endpoint, hosted: Hosted) -> None:
        assert self._supervisor is not None
        instance = HostedInstance(endpoint, hosted, self._means, partial(self._due.add, endpoint.key))
        instance.may_give_up = not _serves(endpoint, hosted)
        self._running[endpoint.key][hosted.id] = instance
        self._loops[hosted.id] = self._supervisor.start(f"model server {hosted.id}", instance.run)

    def _end(self, key: str, instance: HostedInstance, *, drains: bool) -> None:
        assert self._loop is not None
        if self._loop.free <= 0:
            return  # it is looked at again when there is room
        del self._running[key][instance.hosted.id]
        self._ending.setdefault(key, set()).add(instance.hosted.id)
        self._loop.spawn(self._ended(key, instance, drains=drains))

    async def _ended(self, key: str, instance: HostedInstance, *, drains: bool) -> None:
        """Until nothing of it is left: what is not among those that run or end would be found by nobody."""
        what = f"the end of the model server {instance.hosted.id} of `{key}`"
        stop = self._loops.pop(instance.hosted.id).stop
        for step in (partial(instance.end, drains=drains), stop, instance.remove):
            await _until_done(step, what)  # the last is also for what was only about to start
        self._ending[key].discard(instance.hosted.id)
        self._due.add(key)

    async def _forget(self, key: str) -> None:
        """Another server has deleted the row."""
        if not self._running.get(key) and not self._ending.get(key):
            await asyncio.to_thread(trees.remove, home_of(self._means.config, key))
            self._running.pop(key, None)
            self._ending.pop(key, None)

    async def _end_strangers(self, key: str, wanted: Collection[str]) -> None:
        """Kill what an earlier process has left of an endpoint's instances that are wanted no more."""
        for folder in _folders(home_of(self._means.config, key)):
            if folder.name not in wanted:
                for inner in _folders(folder):
                    await killed(inner)
                await asyncio.to_thread(trees.remove, folder)


async def _until_done(work: Run, what: str) -> None:
    """Do it again, the later the more often it failed, until it succeeds. Only its first failure is told at
    length.
    """
    task, failures = asyncio.current_task(), 0
    while True:
        try:
            await work()
        except (Exception, asyncio.CancelledError) as error:
            if task is None or task.cancelling():  # passrole stops, and its next start finds what is left
                raise
            if failures == 0:
                disk.report(log, error, what)
            else:
                log.warning("%s fails still: %s", what, error)
            pause = backoff_seconds(failures, error)
        else:
            return
        await asyncio.sleep(pause)
        failures += 1


def _wanted(endpoint: Endpoint) -> Iterator[Hosted]:
    """The instances that are to run."""
    if endpoint.status in (DELETING, FAILED):
        return
    for fleet in (endpoint.fleet, endpoint.coming):
        if fleet is not None:
            yield from hosted_of(endpoint, fleet)


def _awaited(endpoint: Endpoint) -> Fleet | None:
    """The fleet whose servers an endpoint in progress waits for."""
    return endpoint.coming or (endpoint.fleet if endpoint.status == UPDATING else None)


def _folders(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.is_dir()] if folder.is_dir() else []


def _serves(endpoint: Endpoint, hosted: Hosted) -> bool:
    """Whether it is among the instances with which the endpoint is in service already."""
    fleet = endpoint.fleet
    if fleet is None or fleet["number"] != hosted.fleet:
        return False
    name = hosted.variant["name"]
    return hosted.number < next(each["count"] for each in fleet["variants"] if each["name"] == name)
