"""The container of a job on one instance: its image, what it is called with, its environment and its mounts.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-dockerfile.html
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from passrole.config import Config
from passrole.runtimes.containers import Container
from passrole.runtimes.ml import folder
from passrole.runtimes.ml.environment import Access
from passrole.services.sagemaker.jobs.kinds import JobKind
from passrole.services.sagemaker.jobs.records import Job
from passrole.worker.jobs.contracts import contract_of
from passrole.worker.jobs.programs import Instance, views

_OF_THE_IMAGE = ("PATH", "HOME", "LANG", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")
"""Variables that an image sets for itself, and a job only where its request says so."""


def container(kind: JobKind, job: Job, instance: Instance, config: Config, access: Access) -> Container:
    """What runs on an instance."""
    contract = contract_of(kind)
    specification: Mapping[str, Any] = job.request.get(contract.specification) or {}
    entrypoint = specification.get("ContainerEntrypoint") or ()
    arguments = specification.get("ContainerArguments") or ()
    return Container(
        image=specification[contract.image],
        entrypoint=entrypoint,
        arguments=arguments or (() if entrypoint else contract.called_with),
        environment=_environment(kind, job, access),
        hostname=instance.host,
        mounts={Path(folder.ROOT): instance.ml},
        readable={Path("/etc/hosts"): instance.home / "hosts", **views(kind, job, instance)},
        network=not contract.is_isolated(job.request),
        memory_mb=config.job_memory_mb,
        processes_max=config.processes_max,
    )


def _environment(kind: JobKind, job: Job, access: Access) -> dict[str, str]:
    given = job.request.get("Environment") or {}
    made = contract_of(kind).environment(job, "", access)
    return {name: value for name, value in made.items() if name in given or name not in _OF_THE_IMAGE}
