"""Keeps what a server uploads for a job from going over what the job's next attempt has uploaded.

A server that was away while it uploaded, frozen or without its database, goes on where it was. Meanwhile
another one may have said that the job is lost, and its retry writes to the same place. So the job's record is
asked before anything becomes an object: before each PutObject, and before the parts of a large one become
one. It is asked again where the call is tried again, which may be long after. docs/decisions/0021-claims.md

A server that is alone has nobody who would say so, and asks nothing.
"""

from collections.abc import Mapping
from typing import Any

from passrole import disk
from passrole.faults import Outage
from passrole.policy.request import Principal
from passrole.services.context import CallOperation
from passrole.services.sagemaker.jobs.kinds import JobKind
from passrole.store import Store
from passrole.worker.jobs.failures import LOST, JobFailed

_MAKE_OBJECTS = ("PutObject", "CompleteMultipartUpload")


class FencedCalls:
    """The calls of a job, by its key; a CallOperation over another one."""

    def __init__(self, call: CallOperation, store: Store, kind: JobKind, key: str) -> None:
        self._call, self._store = call, store
        self._kind, self._key = kind, key

    async def __call__(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        principal: Principal,
        region: str,
        request_id: str | None = None,
    ) -> dict[str, Any]:
        """The answer. Raises JobFailed where the job has ended elsewhere, Faults as the call does."""
        if service == "s3" and operation in _MAKE_OBJECTS and not self._store.share.is_whole:
            await self._refuse_lost()
        return await self._call(service, operation, parameters, principal, region, request_id)

    async def _refuse_lost(self) -> None:
        try:
            job = await self._store.read(lambda tx: self._kind.collection.get(tx, self._key))
        except disk.StoreUnreachable:
            raise Outage from None
        if job is None or job.has_ended:
            raise JobFailed(LOST)
