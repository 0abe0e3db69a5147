"""Runs periodic deletion every INTERVAL_SECONDS. Nothing depends on when that happens."""

import asyncio
import logging
from collections.abc import Mapping

from passrole.audit import retention as audit_retention
from passrole.clock import Clock, system_clock
from passrole.config import Config
from passrole.history import retention as execution_retention
from passrole.runtimes import kept_layers
from passrole.runtimes.interface import FunctionRuntime
from passrole.services import sqs
from passrole.services.emr import leftovers as cluster_leftovers
from passrole.services.emr import retention as cluster_retention
from passrole.services.emr_serverless import leftovers as job_run_leftovers
from passrole.services.emr_serverless import retention as job_run_retention
from passrole.services.lambda_.leftovers import discard_unused
from passrole.services.logs import retention as log_retention
from passrole.store import Store, contents
from passrole.worker.supervisor import Supervisor

log = logging.getLogger(__name__)

INTERVAL_SECONDS = 300.0
_DAY_SECONDS = 86_400
_PARTY = "housekeeping"
"""Of several nodes the one that has its shard deletes rows; each removes files of its own folder."""


class Housekeeping:
    """Deletes what is over, until the supervisor is closed: in the middle of a sweep if need be."""

    def __init__(self, store: Store, clock: Clock, config: Config, functions: FunctionRuntime) -> None:
        self._store = store
        self._functions = functions
        self._clock = clock
        self._config = config

    def start(self, supervisor: Supervisor) -> None:
        """The first sweep comes after an interval, so that starting is not held up."""
        supervisor.start("housekeeping", self._run)

    async def sweep(self) -> Mapping[str, int]:
        """Delete what has expired now; how much of each kind."""
        store, config = self._store, self._config
        deleted = await self._rows()
        return deleted | {
            "copies of code": await discard_unused(store, config, self._functions.discard, system_clock()),
            "packages of jobs": await asyncio.to_thread(kept_layers.sweep, config.data, system_clock()),
            "folders of clusters": await cluster_leftovers.forget(store, config),
            "folders of job runs": await job_run_leftovers.forget(store, config),
        }

    async def _rows(self) -> dict[str, int]:
        store, config = self._store, self._config
        if not store.share.has(_PARTY):
            return {}  # another node deletes them
        deleted = {"messages": await sqs.sweep(store, self._clock)}
        deleted["log events"] = await log_retention.sweep(store, self._clock(), config.keep_log_events_days)
        deleted["archives"] = await contents.sweep(store, self._clock())
        if days := config.keep_executions_days:
            deleted["executions"] = len(await execution_retention.sweep(store, self._before(days)))
        if days := config.keep_clusters_days:
            deleted["clusters"] = await cluster_retention.sweep(store, config.data, self._before(days))
            deleted["job runs"] = await job_run_retention.sweep(store, config.data, self._before(days))
        if days := config.keep_audit_days:
            deleted["audit lines"] = await audit_retention.sweep(store, self._before(days))
        return deleted

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            log.debug("housekeeping deleted %s", await self.sweep())

    def _before(self, days: int) -> float:
        return self._clock() - days * _DAY_SECONDS
