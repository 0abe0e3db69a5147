"""The container of a job on one instance: its image, what it is called with, its environment and its mounts.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-dockerfile.html
"""

from dataclasses import replace
from pathlib import Path

from passrole.config import Config
from passrole.runtimes.containers import Container
from passrole.runtimes.ml import folder
from passrole.runtimes.ml.environment import Access
from passrole.worker.jobs.programs import Instance, own_port, views
from passrole.worker.jobs.workload import Workload

PORT = 8080
"""Where a container that serves listens.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

_HTTPS = Path("/opt/passrole")
"""Where a container is shown the files of Https: the folders of this machine are none of its business."""
_OF_THE_IMAGE = ("PATH", "HOME", "LANG", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE")
"""Variables that an image sets for itself, and a job only where its request says so."""


def container(workload: Workload, instance: Instance, config: Config, access: Access) -> Container:
    """What runs on an instance. One that serves has a network of its own, in which the proxy is not."""
    https = None if workload.serves else access.https
    shown = https and https.below(_HTTPS)
    access = replace(access, https=shown)
    return Container(
        image=workload.image or "",
        entrypoint=workload.entrypoint,
        arguments=workload.arguments or (() if workload.entrypoint else workload.called_with),
        environment=_environment(workload, access),
        hostname=instance.host,
        mounts={Path(folder.ROOT): instance.ml},
        readable={
            Path("/etc/hosts"): instance.home / "hosts",
            **views(workload, instance),
            **(dict(zip(shown.files, https.files, strict=True)) if shown and https else {}),
        },
        network=not workload.is_isolated,
        port=(PORT, own_port(instance)) if workload.serves else None,
        memory_mb=config.job_memory_mb,
        processes_max=config.processes_max,
    )


def _environment(workload: Workload, access: Access) -> dict[str, str]:
    made = workload.environment("", access)
    return {
        name: value for name, value in made.items() if name in workload.given or name not in _OF_THE_IMAGE
    }
