"""Runs tuning jobs: has training jobs made, stopped and counted, round by round, until the tuning job ends.

A round reads the rows, asks `passrole/tuning` what is to be done, and writes that in one transaction with the
end of its task. A training job that ends, a value that a watched one prints, a stop and a time limit ask for
the next round, as a task. So between rounds a tuning job is rows only: killed at any moment, the next server
takes the same round up.

The training jobs are made without a call of CreateTrainingJob, as on AWS, where they are no requests of the
user's: https://docs.aws.amazon.com/sagemaker/latest/dg/logging-using-cloudtrail.html
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from passrole.services.sagemaker.jobs import lookup, states
from passrole.services.sagemaker.jobs.kinds import TRAINING, TUNING
from passrole.services.sagemaker.jobs.records import FAILED, STOPPING, Job
from passrole.services.sagemaker.jobs.tuning_children import Family, add, family_of, with_results
from passrole.store import Store, Tx, tasks
from passrole.store.tasks import Task
from passrole.tuning import Chosen, Ending, Plan, SearchMissing, next_trials, plan
from passrole.worker.jobs.run import Means
from passrole.worker.supervisor import Supervisor
from passrole.worker.task_queue import Finish, TaskQueue

AT_ONCE_MAX = 4
"""Rounds under way."""


class Tuner:
    """The one consumer of the tasks of tuning jobs."""

    def __init__(self, store: Store, means: Means) -> None:
        self._store = store
        self._means = means

    def start(self, supervisor: Supervisor) -> None:
        """Take up what an earlier process left, and run what is created from now on."""
        queue = TaskQueue(
            self._store, TUNING.resource, self._round, at_once_max=AT_ONCE_MAX, clock=self._means.clock
        )
        queue.start(supervisor)

    async def _round(self, task: Task) -> Finish | None:
        family = await self._store.read(lambda tx: _family(tx, task.key))
        if family is None:
            return None
        ending = self._asked_to_fail(family)
        wanted = self._plan(family, ending)
        chosen: Sequence[Chosen] = ()
        if wanted.count:
            try:
                chosen = await asyncio.to_thread(next_trials, family.tuning, family.trials, wanted.count)
            except SearchMissing as error:
                ending = Ending(FAILED, f"ClientError: {error}")
        return lambda tx: self._finish(tx, task.key, chosen, ending)

    def _asked_to_fail(self, family: Family) -> Ending | None:
        """A test may want the job to fail before it begins."""
        reason = None if family.children else self._means.reason_to_fail(family.job.arn)
        return None if reason is None else Ending(FAILED, reason)

    def _plan(self, family: Family, ending: Ending | None) -> Plan:
        decided = family.job.ending
        if decided:
            ending = Ending(decided["Status"], decided.get("Reason"))
        seconds = self._means.clock() - family.job.created
        is_stopping = family.job.status == STOPPING
        return plan(family.tuning, family.trials, seconds, ending=ending, is_stopping=is_stopping)

    def _finish(self, tx: Tx, key: str, chosen: Sequence[Chosen], ending: Ending | None) -> None:
        """Do what is to be done by the rows as they are now: some may have changed since the round began."""
        family = _family(tx, key)
        if family is None:
            return
        now, wanted = self._means.clock(), self._plan(family, ending)
        for number in wanted.stops:
            lookup.request_stop_of(tx, TRAINING, family.children[number - 1][1], now)
        for each in chosen[: wanted.count]:
            family = family._replace(children=[*family.children, add(tx, family, each, now)])
        stopped = family_of(tx, family.job) if wanted.stops else family
        self._write(tx, stopped, wanted, now)
        if wanted.count > len(chosen):
            tasks.add(tx, TUNING.resource, key, b"", now)

    def _write(self, tx: Tx, family: Family, wanted: Plan, now: float) -> None:
        ending, job = wanted.ending, with_results(family, now)
        if ending is not None and wanted.is_over:
            ended = states.ended(TUNING, job, ending.status, now, failure_reason=ending.reason)
            states.update(tx, TUNING, ended, now)
            return
        if ending is not None and job.status != STOPPING:
            decided = {"Status": ending.status, **({"Reason": ending.reason} if ending.reason else {})}
            job = replace(job, ending=decided)
        TUNING.collection.put(tx, job.key, job)
        limit = family.tuning.runtime_seconds_max
        if ending is None and limit is not None:
            tasks.add(tx, TUNING.resource, job.key, b"", job.created + limit)


def _family(tx: Tx, key: str) -> Family | None:
    """The tuning job with its training jobs; None once it has ended."""
    job: Job | None = TUNING.collection.get(tx, key)
    return None if job is None or job.has_ended else family_of(tx, job)
