"""Housekeeping deletes by age what the settings tell it to, and nothing by default."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.worker.conftest import ACCOUNT, Workshop

from passrole import history
from passrole.arns import Region
from passrole.audit import rows as audit_rows
from passrole.audit.files import Line
from passrole.config import Config, ConfigError, load
from passrole.engine.facts import LambdaReturned
from passrole.faults import Fault
from passrole.runtimes.at_rest import FunctionsAtRest
from passrole.services.emr.records import CLUSTERS, Cluster
from passrole.services.emr_serverless.records import APPLICATIONS, Application, JobRun, put_run
from passrole.services.logs import rows
from passrole.services.logs.records import GROUPS, Group
from passrole.services.sagemaker.executions import describe_pipeline_execution
from passrole.store import Tx
from passrole.worker.housekeeping import Housekeeping

Run = Callable[[Callable[[Workshop], Awaitable[None]]], None]

DAY = 86_400.0
FOLDERS = ("folders of clusters", "folders of job runs")
ALWAYS = dict.fromkeys(
    ("messages", "log events", "archives", "copies of code", "packages of jobs", *FOLDERS), 0
)
SETTINGS = ("keep_executions_days", "keep_clusters_days", "keep_log_events_days", "keep_audit_days")
CLUSTER = Cluster(
    account=ACCOUNT,
    region=Region("us-east-1"),
    id="j-1",
    name="c",
    created=1.0,
    service_role="arn:s",
    instance_role="arn:i",
    instance="i-1",
    request="r",
    state="TERMINATED",
    ended=100.0,
)


APPLICATION = Application(
    account=ACCOUNT,
    region=Region("us-east-1"),
    id="a1",
    name=None,
    release="emr-7.1.0",
    created=1.0,
    updated=100.0,
    token="t",
    state="TERMINATED",
)
JOB_RUN = JobRun(
    application=APPLICATION.key,
    account=ACCOUNT,
    region=Region("us-east-1"),
    application_id="a1",
    id="r1",
    created=1.0,
    updated=100.0,
    created_by="arn:u",
    role="arn:r",
    release="emr-7.1.0",
    token="t",
    asked={},
    state="SUCCESS",
    ended=100.0,
)


async def one_of_each(shop: Workshop) -> None:
    """An execution, a cluster, an application with a job run, and a log event, a line of the audit trail,
    all of 100 seconds after the epoch; and an execution that runs.
    """
    arn = await shop.start("l1", name="over")
    fact = LambdaReturned(at=100.0, step="l1", attempt=1, payload='{"x": 1}')
    await shop.store.write(lambda tx: history.advance(tx, arn, fact, finished="l1/1"))
    await shop.start("l1", name="runs")

    def put(tx: Tx) -> None:
        CLUSTERS.put(tx, CLUSTER.key, CLUSTER)
        APPLICATIONS.put(tx, APPLICATION.key, APPLICATION)
        put_run(tx, JOB_RUN)
        GROUPS.put(tx, "1/r/g", Group("g", 0))
        rows.insert(tx, "1/r/g", "s", 0, [(100_000, "said")])
        lines = [
            Line(0, b'{"time":100.0,"request_id":"over"}\n'),
            Line(35, b'{"time":1e300,"request_id":"new"}\n'),
        ]
        assert audit_rows.add(tx, audit_rows.Place(1, 0), lines, "server")

    await shop.store.write(put)


def housekeeping(shop: Workshop, tmp_path: Path, **settings: Any) -> Housekeeping:
    config = Config(data=tmp_path, **settings)
    return Housekeeping(shop.store, lambda: shop.now, config, FunctionsAtRest())


async def refusal(shop: Workshop, name: str) -> Fault:
    ctx: Any = SimpleNamespace(store=shop.store, account=ACCOUNT, region=Region("eu-west-1"))
    with pytest.raises(Fault) as caught:
        await describe_pipeline_execution(ctx, pipeline_execution_arn=shop.arn(name))
    return caught.value


def test_by_default_everything_is_kept(workshop: Run, tmp_path: Path) -> None:
    async def scenario(shop: Workshop) -> None:
        await one_of_each(shop)
        shop.now += 10_000 * DAY
        assert await housekeeping(shop, tmp_path).sweep() == ALWAYS

    workshop(scenario)


def test_what_is_over_goes_with_its_age(workshop: Run, tmp_path: Path) -> None:
    async def scenario(shop: Workshop) -> None:
        await one_of_each(shop)
        ages = housekeeping(shop, tmp_path, **dict.fromkeys(SETTINGS, 30))
        nothing = {**ALWAYS, "executions": 0, "clusters": 0, "job runs": 0, "audit lines": 0}
        shop.now = 100.0 + 30 * DAY
        assert await ages.sweep() == nothing
        shop.now += 1
        gone = {"log events": 1, "executions": 1, "clusters": 1, "job runs": 2, "audit lines": 1}
        assert await ages.sweep() == nothing | gone
        assert await ages.sweep() == nothing
        assert await shop.status("runs") == "Executing"

    workshop(scenario)


def test_a_deleted_execution_is_refused_as_an_unknown_one_is(workshop: Run, tmp_path: Path) -> None:
    async def scenario(shop: Workshop) -> None:
        await one_of_each(shop)
        shop.now += 31 * DAY
        await housekeeping(shop, tmp_path, keep_executions_days=30).sweep()
        deleted, unknown = await refusal(shop, "over"), await refusal(shop, "none")
        assert deleted.code == unknown.code == "ResourceNotFound"
        assert deleted.message.replace("over", "none") == unknown.message

    workshop(scenario)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("days", ["-1", "3654", "many"])
def test_an_age_has_bounds(tmp_path: Path, setting: str, days: str) -> None:
    with pytest.raises(ConfigError, match=setting.upper()):
        load({f"PASSROLE_{setting.upper()}": days}, data=tmp_path)
