"""What is the case in a data folder: whether a server runs, what runs and what waits, how large it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from passrole import server_file
from passrole.client import listing
from passrole.client.backlog import Backlog, backlog_of
from passrole.client.callbacks import WaitingCallback, waiting_callbacks
from passrole.client.connection import Client, Connection
from passrole.client.folder_sizes import sizes
from passrole.client.listing import Summary
from passrole.config import Config
from passrole.store import opening

_STARTED_APPLICATIONS = ["STARTING", "STARTED", "STOPPING"]
_ACTIVE_JOB_RUNS = ["SUBMITTED", "QUEUED", "PENDING", "SCHEDULED", "RUNNING", "CANCELLING"]
_ACTIVE_CLUSTERS = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING", "TERMINATING"]


@dataclass(frozen=True)
class FolderState:
    """`url` and `pid` are the server's, None where none runs; `running` are executions that go on, the
    newest 500; `executions` counts all.

    `database` is where the rows are, without user and password; None where they are in the folder.
    `objects` is the endpoint that has the objects, and whether it answers; None where they are in the folder.
    `only` is the one service that the server has; it knows nothing of what runs then.
    `applications` are those of EMR Serverless that are started, `job_runs` the ids of both with a slash.
    `backlog` is None where its rows cannot be read.
    """

    data: Path
    database: str | None
    account: str
    region: str
    url: str | None
    pid: int | None
    sizes: Mapping[str, int]
    objects: str | None
    only: str | None
    pipelines: int = 0
    executions: Mapping[str, int] = field(default_factory=dict)
    running: Sequence[Summary] = ()
    callbacks: Sequence[WaitingCallback] = ()
    jobs: Sequence[str] = ()
    clusters: Sequence[str] = ()
    applications: Sequence[str] = ()
    job_runs: Sequence[str] = ()
    endpoints: Sequence[str] = ()
    backlog: Backlog | None = None


def state_of(config: Config, connection: Connection) -> FolderState:
    """Ask for all of it. Raises ClientError."""
    runs = not connection.is_at_rest
    only = server_file.only(config) if runs else None
    return FolderState(
        data=config.data.resolve(),
        database=opening.place(config.store) if config.store else None,
        account=connection.access.account,
        region=connection.access.region,
        url=connection.url if runs else None,
        pid=server_file.process_id(config) if runs else None,
        sizes=sizes(config.data),
        objects=_objects(config, connection),
        only=only,
        **({} if only else _work(config, connection)),
    )


def _objects(config: Config, connection: Connection) -> str | None:
    """Without a server nobody is asked: the key may be known to servers alone."""
    if connection.is_at_rest:
        return config.s3_endpoint or None
    url = server_file.s3_endpoint(config)
    if url is None:
        return None
    try:
        connection.client("s3").list_buckets()
    except ClientError as error:
        return f"{url}, which is not to be had: {error.response['Error']['Code']}; see the server's log"
    return f"{url}, which answers"


def _work(config: Config, connection: Connection) -> dict[str, Any]:
    """What there is of pipelines, and what runs and waits."""
    sagemaker = connection.client("sagemaker")
    emr = listing.pages(connection.client("emr"), "list_clusters", "Clusters", ClusterStates=_ACTIVE_CLUSTERS)
    serverless = connection.client("emr-serverless")
    applications = _applications(serverless)
    return {
        "pipelines": len(listing.pipelines(sagemaker)),
        "executions": connection.ask("CountExecutions", {})["Counts"],
        "running": _running(connection),
        "callbacks": waiting_callbacks(connection),
        "jobs": [each for word in ("Training", "Processing", "Transform") for each in _jobs(sagemaker, word)],
        "clusters": [str(cluster["Id"]) for cluster in emr],
        "applications": applications,
        "job_runs": [each for application in applications for each in _job_runs(serverless, application)],
        "endpoints": _endpoints(sagemaker),
        "backlog": backlog_of(config),
    }


def _running(connection: Connection) -> list[Summary]:
    """As ListPipelineExecutions has them."""
    found = connection.ask("ListRecentExecutions", {})["PipelineExecutions"]
    return [
        {
            **{name: value for name, value in each.items() if name != "PipelineArn"},
            "StartTime": datetime.fromtimestamp(each["StartTime"], UTC),
        }
        for each in found
    ]


def _endpoints(sagemaker: Client) -> list[str]:
    """Those that have model servers."""
    found = listing.pages(sagemaker, "list_endpoints", "Endpoints", SortBy="Name", SortOrder="Ascending")
    return [str(each["EndpointName"]) for each in found if each["EndpointStatus"] != "Failed"]


def _applications(serverless: Client) -> list[str]:
    asked: Mapping[str, Any] = {"states": _STARTED_APPLICATIONS}
    return [
        str(each["id"]) for each in listing.pages(serverless, "list_applications", "applications", **asked)
    ]


def _job_runs(serverless: Client, application: str) -> list[str]:
    """Those that are not over: their application is started."""
    asked: Mapping[str, Any] = {"applicationId": application, "states": _ACTIVE_JOB_RUNS}
    found = listing.pages(serverless, "list_job_runs", "jobRuns", **asked)
    return [f"{application}/{each['id']}" for each in found]


def _jobs(sagemaker: Client, word: str) -> list[str]:
    asked: Mapping[str, Any] = {"StatusEquals": "InProgress"}
    found = listing.pages(sagemaker, f"list_{word.lower()}_jobs", f"{word}JobSummaries", **asked)
    return [str(job[f"{word}JobName"]) for job in found]
